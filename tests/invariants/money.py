"""The checker's look at money: refunds never beyond captures, and books that say what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from tests.invariants.facts import Facts
from tests.invariants.violations import Violation

_LIVING = ("on_hold", "confirmed", "redeemed", "no_show")
_UNCAPTURED = ("opening", "pending", "authorized")


def check_money(facts: Facts) -> Iterator[Violation]:
    """Refunds, ledger, accepted payments, accounts of resellers."""
    yield from _check_refunds(facts)
    yield from _check_accounts(facts)
    yield from _check_ledger(facts)
    yield from _check_accepted(facts)


def _check_refunds(facts: Facts) -> Iterator[Violation]:
    ordered: Counter[UUID] = Counter()
    for refund in facts.refunds:
        if refund.status != "void":
            ordered[refund.payment_id] += refund.amount
    for payment in facts.payments.values():
        bound = payment.amount if payment.state in _UNCAPTURED else payment.captured
        if ordered[payment.id] > bound:
            detail = f"{ordered[payment.id]} back of {bound} ({payment.state})"
            yield Violation("refunded more than was captured", payment.booking_id, detail)


def _check_accounts(facts: Facts) -> Iterator[Violation]:
    """A reseller owes what the books say, and holds credit for what its bookings on hold will cost; for
    nobody else is any held."""
    books: Counter[UUID] = Counter()
    for entry in facts.ledger:
        books[entry.booking_id] += -entry.amount if entry.kind == "refund" else entry.amount
    owed: Counter[UUID] = Counter()
    held: Counter[UUID] = Counter()
    for claim in facts.claims:
        if claim.kind == "credit":
            (owed if claim.held_until is None else held)[claim.booking_id] += claim.quantity
    nets: Counter[UUID] = Counter()
    for unit in facts.units:
        if unit.status == "on_hold" and not facts.bookings[unit.booking_id].is_test:
            nets[unit.booking_id] += unit.net or 0
    for booking in facts.bookings.values():
        on_account = booking.reseller_id is not None
        if owed[booking.id] != (books[booking.id] if on_account else 0):
            detail = f"owed {owed[booking.id]}, books {books[booking.id]}"
            yield Violation("credit differs from the books", booking.id, detail)
        if held[booking.id] != nets[booking.id]:
            detail = f"held {held[booking.id]}, units {nets[booking.id]}"
            yield Violation("credit differs from its units", booking.id, detail)


def _check_ledger(facts: Facts) -> Iterator[Violation]:
    """Sales and fees are what the accepted payment captured; refunds are those of it."""
    income: Counter[UUID] = Counter()
    back: Counter[UUID] = Counter()
    for entry in facts.ledger:
        (back if entry.kind == "refund" else income)[entry.booking_id] += entry.amount
    captured: Counter[UUID] = Counter()
    refunded: Counter[UUID] = Counter()
    accepted = {row.id for row in facts.payments.values() if row.accepted}
    for payment in facts.payments.values():
        if payment.id in accepted:
            captured[payment.booking_id] += payment.captured
    for refund in facts.refunds:
        if refund.payment_id in accepted and refund.status != "void":
            refunded[refund.booking_id] += refund.amount
    for booking_id, booking in facts.bookings.items():
        if booking.reseller_id is not None:
            continue
        if income[booking_id] != captured[booking_id]:
            detail = f"income {income[booking_id]}, captured {captured[booking_id]}"
            yield Violation("ledger differs from captures", booking_id, detail)
        if back[booking_id] != refunded[booking_id]:
            detail = f"ledger {back[booking_id]}, refunds {refunded[booking_id]}"
            yield Violation("ledger differs from refunds", booking_id, detail)


def _check_accepted(facts: Facts) -> Iterator[Violation]:
    """A sold booking that costs something stands on exactly one payment of its price; money that no booking
    stands on is on its way back.
    """
    accepted = Counter(row.booking_id for row in facts.payments.values() if row.accepted)
    for booking in facts.bookings.values():
        price = booking.items_amount - booking.discount_amount + booking.fee_amount
        sold = booking.status in _LIVING and booking.status != "on_hold" and booking.reseller_id is None
        if sold and price > 0 and accepted[booking.id] != 1:
            yield Violation("sold without payment", booking.id, f"{accepted[booking.id]} accepted payments")
        if accepted[booking.id] > 1:
            yield Violation("two accepted payments", booking.id, str(accepted[booking.id]))
    for payment in facts.payments.values():
        booking = facts.bookings[payment.booking_id]
        if not payment.accepted and payment.captured > payment.refund_ordered:
            detail = f"{payment.provider_id}: captured {payment.captured}, back {payment.refund_ordered}"
            yield Violation("money kept for nothing", payment.booking_id, detail)
