"""What a committed verb of the store changed, for those who follow: metrics and caches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ticketing_service.domain.bookings import Booking, BookingStatus
from ticketing_service.domain.catalogue import TicketType


class Outcome(StrEnum):
    """What became of a purchase. SOLD_OUT is a refused one, FAILED one whose payment was refused."""

    CREATED = "created"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    SOLD_OUT = "sold_out"


@dataclass(frozen=True, slots=True)
class Sale:
    """What the units of one type of ticket cost, in minor units; type None is the fee of the booking."""

    currency: str
    ticket_type: TicketType | None
    amount: int


@dataclass(frozen=True, slots=True)
class Return:
    """Minor units that are promised back."""

    currency: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One committed verb. `verb` is its name in `storage.port`, such as `bookings.hold`.

    `outcomes` counts bookings. `slots_changed` counts slots whose offer staff or a schedule changed.
    `sold_out`: the verb was refused for want of places (nothing was committed then).
    """

    verb: str
    booking_ids: frozenset[UUID] = frozenset()
    ticket_ids: frozenset[UUID] = frozenset()
    slot_ids: frozenset[UUID] = frozenset()
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    sales: tuple[Sale, ...] = ()
    refunds: tuple[Return, ...] = ()
    slots_changed: int = 0
    sold_out: bool = False


Listener = Callable[[Change], None]
"""Is told after the commit. What it raises is logged, and never fails the write."""

_OUTCOMES = {
    BookingStatus.CONFIRMED: Outcome.CONFIRMED,
    BookingStatus.CANCELLED: Outcome.CANCELLED,
    BookingStatus.EXPIRED: Outcome.EXPIRED,
}
_CONFIRMING = frozenset({"bookings.confirm_free", "payments.observe"})
_ENDING = frozenset({"bookings.cancel", "payments.observe"})


def booking_change(verb: str, after: Booking, now: datetime) -> Change:
    """What `verb` did, told by the booking that it answered; `now` is the instant that it was given.

    A booking that another verb had changed already says so by another `updated_at`, and counts for nothing:
    so a repeated confirmation, cancellation or webhook is not counted again.
    """
    outcome = _outcome(verb, after, now)
    return Change(
        verb=verb,
        booking_ids=frozenset({after.id}),
        ticket_ids=frozenset(item.ticket_id for item in after.items),
        slot_ids=frozenset(item.slot_id for item in after.items),
        outcomes={} if outcome is None else {outcome: 1},
        sales=sales_of(after) if outcome is Outcome.CONFIRMED else (),
        refunds=tuple(
            Return(after.price.currency, refund.amount)
            for refund in after.refunds
            if refund.created_at == now
        ),
    )


def refused_change(verb: str, slot_ids: Iterable[UUID]) -> Change:
    """A verb that was refused for want of places; only a hold is a purchase that is lost by it."""
    lost = {Outcome.SOLD_OUT: 1} if verb == "bookings.hold" else {}
    return Change(verb=verb, slot_ids=frozenset(slot_ids), outcomes=lost, sold_out=True)


def sales_of(booking: Booking) -> tuple[Sale, ...]:
    """What was paid for the booking, by type of ticket, and its fee."""
    amounts: dict[TicketType | None, int] = {}
    for item in booking.items:
        paid = sum(unit.paid for unit in item.units)
        amounts[item.terms.ticket_type] = amounts.get(item.terms.ticket_type, 0) + paid
    amounts[None] = booking.price.fee
    return tuple(Sale(booking.price.currency, kind, amount) for kind, amount in amounts.items() if amount)


def _outcome(verb: str, after: Booking, now: datetime) -> Outcome | None:
    if after.updated_at != now:
        return None
    if verb == "bookings.hold":
        return Outcome.CREATED
    outcome = _OUTCOMES.get(after.status)
    if outcome is Outcome.CONFIRMED:
        return outcome if verb in _CONFIRMING else None
    return outcome if verb in _ENDING else None
