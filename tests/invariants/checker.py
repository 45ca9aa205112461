"""Says which invariant broke, and with which booking, from what a store holds and what its clients were told.

It trusts nothing that the code under test computes: counters are held against sums over claims and over unit
items, money against sums over the ledger, answers against rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from tests.beneath import Beneath
from tests.invariants.facts import Facts, read_facts
from tests.invariants.money import check_money
from tests.invariants.records import OK, REFUSED, UNKNOWN, Record
from tests.invariants.violations import Violation
from ticketing_service.domain.bookings import BookingStatus, derived_status
from ticketing_service.domain.states import TRANSITIONS

ON_HOLD = BookingStatus.ON_HOLD.value
SOLD = frozenset({BookingStatus.CONFIRMED.value, BookingStatus.REDEEMED.value, BookingStatus.NO_SHOW.value})
KEY_PREFIX = "key "
"""Clients put the key of a hold into the customer's name, so that its effects can be counted."""


def check(database: Beneath, history: Sequence[Record] = ()) -> list[Violation]:
    """Every violation, in the store and between it and the clients' history."""
    facts = read_facts(database)
    return [
        *check_counters(facts),
        *_check_unit_sums(facts),
        *_check_bookings(facts),
        *_check_transitions(facts),
        *_check_vouchers(facts),
        *_check_admissions(facts),
        *check_money(facts),
        *_check_acknowledged(facts, history),
        *_check_keys(facts, history),
        *_check_unknowns(history),
    ]


def explain(violations: Iterable[Violation], seed: int | None = None) -> str:
    """The message of a failing test."""
    lines = [str(violation) for violation in violations]
    return f"seed {seed}: {len(lines)} violations\n" + "\n".join(lines[:20])


def check_counters(facts: Facts) -> Iterator[Violation]:
    """Capacity is kept, and each counter is what its claims add up to."""
    held: Counter[UUID] = Counter()
    sold: Counter[UUID] = Counter()
    for claim in facts.claims:
        (sold if claim.held_until is None else held)[claim.counter_id] += claim.quantity
    for counter in facts.counters.values():
        taken = counter.held + counter.sold
        if counter.capacity is not None and taken > counter.capacity:
            blame = next((c.booking_id for c in reversed(facts.claims) if c.counter_id == counter.id), None)
            yield Violation("oversold", blame, f"{counter.id}: {taken} of {counter.capacity}")
        if min(counter.held, counter.sold) < 0:
            yield Violation("negative counter", None, f"{counter.id}: {counter.held}, {counter.sold}")
        if (counter.held, counter.sold) != (held[counter.id], sold[counter.id]):
            detail = (
                f"{counter.id}: held {counter.held} sold {counter.sold}, "
                f"claims {held[counter.id]} and {sold[counter.id]}"
            )
            yield Violation("counter differs from its claims", None, detail)


def _check_unit_sums(facts: Facts) -> Iterator[Violation]:
    """The counters of slots, against the people of living unit items."""
    held: Counter[UUID] = Counter()
    sold: Counter[UUID] = Counter()
    for unit in facts.units:
        if facts.bookings[unit.booking_id].is_test:
            continue
        for counter_id in facts.slot_counters[facts.items[unit.item_id].slot_id]:
            if unit.status == ON_HOLD:
                held[counter_id] += unit.pax_count
            elif unit.status in SOLD:
                sold[counter_id] += unit.pax_count
    for counter_id in {each for ids in facts.slot_counters.values() for each in ids}:
        counter = facts.counters[counter_id]
        if (counter.held, counter.sold) != (held[counter_id], sold[counter_id]):
            detail = (
                f"{counter_id}: held {counter.held} sold {counter.sold}, "
                f"people of bookings {held[counter_id]} and {sold[counter_id]}"
            )
            yield Violation("counter differs from its bookings", None, detail)


def _check_bookings(facts: Facts) -> Iterator[Violation]:
    """A booking's status follows from its units; its claims end with it."""
    statuses: dict[UUID, list[BookingStatus]] = defaultdict(list)
    for unit in facts.units:
        statuses[unit.booking_id].append(BookingStatus(unit.status))
    claimed: dict[UUID, set[datetime | None]] = defaultdict(set)
    for claim in facts.claims:
        # what is owed of a booking on account is owed after its end, too
        if claim.kind != "credit" or claim.held_until is not None:
            claimed[claim.booking_id].add(claim.held_until)
    references = Counter(row.reference for row in facts.bookings.values())
    for booking in facts.bookings.values():
        derived = derived_status(statuses[booking.id]).value
        if derived != booking.status:
            yield Violation("status differs from its units", booking.id, f"{booking.status}, {derived}")
        if booking.status == ON_HOLD:
            expected: set[datetime | None] = {booking.expires_at}
        else:
            expected = {None} if booking.status in SOLD and not booking.is_test else set()
        if claimed[booking.id] != expected and (expected or claimed[booking.id]):
            found = ", ".join(str(each) for each in claimed[booking.id]) or "none"
            yield Violation(
                "claims do not fit the status", booking.id, f"{booking.status}: held until {found}"
            )
        if booking.is_test and any(
            claim.kind != "guest" for claim in facts.claims if claim.booking_id == booking.id
        ):
            yield Violation("a test takes something", booking.id, booking.status)
        if references[booking.reference] > 1:
            yield Violation("reference used twice", booking.id, booking.reference)


def _check_transitions(facts: Facts) -> Iterator[Violation]:
    """History rows lead from one legal state to the next, and end in the present one."""
    last: dict[UUID, str | None] = {}
    for row in facts.history:
        before = last.get(row.booking_id)
        legal = (
            row.to_status == ON_HOLD
            if before is None
            else row.from_status == before
            and (row.to_status == before or row.to_status in TRANSITIONS[BookingStatus(before)])
        )
        if not legal:
            detail = f"{before} -> ({row.from_status}) {row.to_status}: {row.reason}"
            yield Violation("illegal transition", row.booking_id, detail)
        last[row.booking_id] = row.to_status
    for booking in facts.bookings.values():
        if last.get(booking.id) != booking.status:
            detail = f"{booking.status}, history ends with {last.get(booking.id)}"
            yield Violation("history does not end in the status", booking.id, detail)


def _check_vouchers(facts: Facts) -> Iterator[Violation]:
    uses = Counter(
        row.voucher_id
        for row in facts.bookings.values()
        if row.voucher_id is not None and not row.is_test and (row.status == ON_HOLD or row.status in SOLD)
    )
    for voucher in facts.vouchers.values():
        counter = facts.counters[voucher.id]
        if counter.capacity is not None and uses[voucher.id] > counter.capacity:
            blame = next(row.id for row in facts.bookings.values() if row.voucher_id == voucher.id)
            detail = f"{voucher.code}: {uses[voucher.id]} of {counter.capacity}"
            yield Violation("voucher used too often", blame, detail)
        if counter.held + counter.sold != uses[voucher.id]:
            detail = f"{voucher.code}: counts {counter.held + counter.sold}, bookings {uses[voucher.id]}"
            yield Violation("voucher counter differs from its bookings", None, detail)


def _check_admissions(facts: Facts) -> Iterator[Violation]:
    """One good admission a unit item at most; good for sold units alone; all there once it is paid."""
    good = Counter(row.unit_item_id for row in facts.admissions if row.cancelled_at is None)
    captured = {row.booking_id for row in facts.payments.values() if row.accepted and row.captured > 0}
    for unit in facts.units:
        booking = facts.bookings[unit.booking_id]
        price = booking.items_amount - booking.discount_amount + booking.fee_amount
        is_paid = price == 0 or unit.booking_id in captured
        if good[unit.id] > 1:
            yield Violation("two admissions of one unit item", unit.booking_id, str(unit.id))
        if good[unit.id] and unit.status not in SOLD:
            yield Violation("admission of what was not sold", unit.booking_id, f"{unit.id} is {unit.status}")
        if not good[unit.id] and unit.status in SOLD and unit.pax_count and is_paid:
            yield Violation("paid without admission", unit.booking_id, str(unit.id))


def _check_acknowledged(facts: Facts, history: Iterable[Record]) -> Iterator[Violation]:
    """What was acknowledged is readable, with that status or one that may have come of it since."""
    for record in history:
        if record.kind != OK or record.booking_id is None or record.status is None:
            continue
        booking = facts.bookings.get(record.booking_id)
        if booking is None:
            yield Violation(
                "acknowledged booking is lost", record.booking_id, f"{record.operation} by {record.client}"
            )
        elif BookingStatus(booking.status) not in _reachable(BookingStatus(record.status)):
            detail = f"{record.operation} said {record.status}, it is {booking.status}"
            yield Violation("acknowledged status is lost", record.booking_id, detail)


def _check_keys(facts: Facts, history: Iterable[Record]) -> Iterator[Violation]:
    """A key has one effect and one answer, and none when it was refused."""
    effects = _effects(facts)
    answers: dict[str, set[str | None]] = defaultdict(set)
    kinds: dict[str, set[str]] = defaultdict(set)
    for record in history:
        if record.operation == "hold":
            kinds[record.key].add(record.kind)
            if record.kind == OK:
                answers[record.key].add(record.body)
    for key, bookings in effects.items():
        if len(bookings) > 1:
            yield Violation("one key, several effects", bookings[1], key)
        if kinds and OK not in kinds[key]:
            yield Violation("effect without acknowledgement", bookings[0], f"{key}: {sorted(kinds[key])}")
    for key, bodies in answers.items():
        if len(bodies) > 1:
            yield Violation("one key, several answers", None, key)
        if not effects[key]:
            yield Violation("acknowledged key without effect", None, key)


def _effects(facts: Facts) -> dict[str, list[UUID]]:
    """The bookings that each key made."""
    effects: dict[str, list[UUID]] = defaultdict(list)
    for booking in facts.bookings.values():
        if booking.customer_name.startswith(KEY_PREFIX):
            effects[booking.customer_name.removeprefix(KEY_PREFIX)].append(booking.id)
    return effects


def _check_unknowns(history: Iterable[Record]) -> Iterator[Violation]:
    """Each try without an answer was cleared up by a later one under its key."""
    open_keys: dict[str, Record] = {}
    for record in history:
        if record.kind == UNKNOWN:
            open_keys[record.key] = record
        elif record.kind in (OK, REFUSED):
            open_keys.pop(record.key, None)
    for key, record in open_keys.items():
        yield Violation("unknown outcome was never resolved", record.booking_id, f"{record.operation} {key}")


def _reachable(status: BookingStatus) -> set[BookingStatus]:
    found, todo = set(), [status]
    while todo:
        current = todo.pop()
        if current not in found:
            found.add(current)
            todo.extend(TRANSITIONS[current])
    return found
