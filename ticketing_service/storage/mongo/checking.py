"""Whether the store keeps the invariants of the business, over its documents in the neutral form.

Memory: a few numbers a counter, and one batch of bookings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from common.transfer.documents import Document, Entity, Key
from common.transfer.port import Side
from ticketing_service.domain.bookings import BookingStatus, PaymentState
from ticketing_service.domain.claims import ClaimKind
from ticketing_service.domain.states import SOLD

MOST_NAMED = 20
"""How many offenders of one invariant are named."""

_SOLD = {status.value for status in SOLD}
_HELD = BookingStatus.ON_HOLD.value
_UNCAPTURED = {PaymentState.OPENING.value, PaymentState.PENDING.value, PaymentState.AUTHORIZED.value}
_COUNTERS, _BOOKINGS, _LEDGER = (
    Entity("counters", batch=1000),
    Entity("bookings"),
    Entity("ledger", batch=1000),
)


def violations(side: Side) -> Iterator[str]:
    """A line for each violation, at most 20 of each invariant. Raises StoreUnavailable."""
    named: dict[str, int] = defaultdict(int)
    for invariant, subject in _violations(side):
        named[invariant] += 1
        if named[invariant] <= MOST_NAMED:
            yield f"{invariant}: {subject}"


def _violations(side: Side) -> Iterator[tuple[str, UUID]]:
    claimed: dict[UUID, list[int]] = defaultdict(lambda: [0, 0])
    books = _Books()
    for booking in _each(side, _BOOKINGS):
        for claim in booking["claims"]:
            claimed[claim["counter_id"]][claim["held_until"] is None] += claim["quantity"]
        yield from ((invariant, booking["id"]) for invariant in _of_booking(booking))
        books.expect(booking)
    yield from _of_counters(side, claimed)
    for entry in _each(side, _LEDGER):
        books.enter(entry)
    yield from books.differences()


class _Books:
    """What the ledger has to say, booking by booking, less what it does say."""

    def __init__(self) -> None:
        self._paid: dict[UUID, list[int]] = {}
        self._owed: dict[UUID, int] = {}

    def expect(self, booking: Document) -> None:
        """Of a reseller's: what is owed; of all others: what was captured, and what was given back of it."""
        if booking["reseller_id"] is not None:
            self._owed[booking["id"]] = _credit(booking, sold=True)
            return
        accepted = [each for each in booking["payments"] if each["accepted"]]
        if accepted:
            ids = {each["id"] for each in accepted}
            given = [each for each in booking["refunds"] if each["payment_id"] in ids]
            self._paid[booking["id"]] = [
                sum(each["captured"] for each in accepted),
                sum(each["amount"] for each in given if each["status"] != "void"),
            ]

    def enter(self, entry: Document) -> None:
        """A line of the ledger."""
        booking_id, is_refund = entry["booking_id"], entry["kind"] == "refund"
        if booking_id in self._owed:
            self._owed[booking_id] += entry["amount"] if is_refund else -entry["amount"]
        else:
            self._paid.setdefault(booking_id, [0, 0])[is_refund] -= entry["amount"]

    def differences(self) -> Iterator[tuple[str, UUID]]:
        """What does not come out even."""
        for booking_id, (captures, refunds) in self._paid.items():
            if captures:
                yield "ledger differs from captures", booking_id
            if refunds:
                yield "ledger differs from refunds", booking_id
        for booking_id, amount in self._owed.items():
            if amount:
                yield "credit differs from the books", booking_id


def _credit(booking: Document, *, sold: bool) -> int:
    return sum(
        claim["quantity"]
        for claim in booking["claims"]
        if claim["kind"] == ClaimKind.CREDIT.value and (claim["held_until"] is None) is sold
    )


def _of_counters(side: Side, claimed: dict[UUID, list[int]]) -> Iterator[tuple[str, UUID]]:
    for counter in _each(side, _COUNTERS):
        taken = [counter["held"], counter["sold"]]
        if counter["capacity"] is not None and sum(taken) > counter["capacity"]:
            yield "oversold", counter["id"]
        if min(taken) < 0:
            yield "negative counter", counter["id"]
        if claimed.pop(counter["id"], [0, 0]) != taken:
            yield "counter differs from its claims", counter["id"]
    for counter_id, taken in claimed.items():
        if taken != [0, 0]:
            yield "counter differs from its claims", counter_id


def _of_booking(booking: Document) -> Iterator[str]:
    status = booking["status"]
    # what is owed of a booking on account is owed after its end, too
    untils = [
        claim["held_until"]
        for claim in booking["claims"]
        if claim["kind"] != ClaimKind.CREDIT.value or claim["held_until"] is not None
    ]
    if status == _HELD:
        fits = all(until == booking["expires_at"] for until in untils)
    else:
        fits = (status in _SOLD and all(until is None for until in untils)) or not untils
    if not fits:
        yield "claims do not fit the status"
    if booking["history"] and booking["history"][-1]["to_status"] != status:
        yield "history does not end in the status"
    yield from _of_admissions(booking)
    accepted = [each for each in booking["payments"] if each["accepted"]]
    if len(accepted) > 1:
        yield "two accepted payments"
    price = booking["items_amount"] - booking["discount_amount"] + booking["fee_amount"]
    if status in _SOLD and price > 0 and booking["reseller_id"] is None and len(accepted) != 1:
        yield "sold without payment"
    if any(_is_overspent(each, booking["refunds"]) for each in booking["payments"]):
        yield "refunded more than was captured"
    nets = sum(unit["net"] or 0 for item in booking["items"] for unit in item["units"])
    if booking["is_test"] and any(claim["kind"] != ClaimKind.GUEST.value for claim in booking["claims"]):
        yield "a test takes something"
    if _credit(booking, sold=False) != (nets if status == _HELD and not booking["is_test"] else 0):
        yield "credit differs from its units"


def _of_admissions(booking: Document) -> Iterator[str]:
    sold = {unit["id"] for item in booking["items"] for unit in item["units"] if unit["status"] in _SOLD}
    good = [each["unit_item_id"] for each in booking["admissions"] if each["cancelled_at"] is None]
    if not sold.issuperset(good):
        yield "admission of what was not sold"
    if len(set(good)) < len(good):
        yield "two admissions of one unit item"


def _is_overspent(payment: dict[str, Any], refunds: list[dict[str, Any]]) -> bool:
    ordered = sum(
        each["amount"] for each in refunds if each["payment_id"] == payment["id"] and each["status"] != "void"
    )
    bound = payment["amount"] if payment["state"] in _UNCAPTURED else payment["captured"]
    return int(ordered) > int(bound)


def _each(side: Side, entity: Entity) -> Iterator[Document]:
    after: Key | None = None
    while (upto := side.boundary(entity, after, entity.batch)) is not None:
        yield from side.read(entity, after, upto)
        after = upto
