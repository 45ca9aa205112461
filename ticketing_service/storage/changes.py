"""What a committed verb of the store changed, for those who follow: metrics and caches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from common.storage.listeners import AllListeners
from ticketing_service.domain.bookings import Booking, BookingStatus
from ticketing_service.domain.catalogue import TicketType
from ticketing_service.domain.history import HistoryRow


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
    """One committed verb. `verb` is its name in `storage.ports`, such as `bookings.hold`.

    `outcomes` counts bookings. `slots_changed` counts slots whose offer staff or a schedule changed.
    `sold_out`: the verb was refused for want of places (nothing was committed then). `anywhere`: more tickets
    and slots may be concerned than are named.
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
    anywhere: bool = False


Listener = Callable[[Change], None]
"""Is told after the commit. What it raises is logged, and never fails the write."""


class Listeners(AllListeners[Change]):
    """Tells each of its listeners, whatever another one of them does."""

    def expired(self, count: int) -> None:
        """So many holds have ended, by whatever verb."""
        self(Change(verb="bookings.expire", outcomes={Outcome.EXPIRED: count}, anywhere=True))


PAYMENT_FAILED = "payment failed"
"""The reason in the history row of a payment that the module refused."""

_OUTCOMES = {
    BookingStatus.CONFIRMED: Outcome.CONFIRMED,
    BookingStatus.CANCELLED: Outcome.CANCELLED,
}
"""By the status in a history row. What has expired is told by `Listeners.expired`, whatever verb ended it."""
_OF_VERB = {
    "bookings.hold": (BookingStatus.ON_HOLD, Outcome.CREATED),
    "bookings.confirm_free": (BookingStatus.CONFIRMED, Outcome.CONFIRMED),
    "bookings.cancel": (BookingStatus.CANCELLED, Outcome.CANCELLED),
}


def booking_change(verb: str, after: Booking, now: datetime, history: Iterable[HistoryRow] = ()) -> Change:
    """What `verb` did, told by the booking that it answered; `now` is the instant that it was given.

    What another commit had done already bears another instant and counts for nothing: so a repeated
    confirmation, cancellation or webhook is not counted again. `payments.observe` may do anything or nothing
    at all, so it needs the booking's `history` as well. A test counts for nothing.
    """
    outcomes = {} if after.is_test else _outcomes(verb, after, now, history)
    return Change(
        verb=verb,
        booking_ids=frozenset({after.id}),
        ticket_ids=frozenset(item.ticket_id for item in after.items),
        slot_ids=frozenset(item.slot_id for item in after.items),
        outcomes=outcomes,
        sales=sales_of(after) if Outcome.CONFIRMED in outcomes else (),
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
    """What we get for the booking, by type of ticket, and its fee."""
    amounts: dict[TicketType | None, int] = {}
    for item in booking.items:
        due = sum(unit.due for unit in item.units)
        amounts[item.terms.ticket_type] = amounts.get(item.terms.ticket_type, 0) + due
    amounts[None] = booking.price.fee
    return tuple(Sale(booking.price.currency, kind, amount) for kind, amount in amounts.items() if amount)


def _outcomes(
    verb: str, after: Booking, now: datetime, history: Iterable[HistoryRow]
) -> Mapping[Outcome, int]:
    if verb in _OF_VERB:
        status, outcome = _OF_VERB[verb]
        return {outcome: 1} if after.status is status and after.updated_at == now else {}
    found = (_outcome_of(row) for row in history if row.at == now)
    return dict.fromkeys((outcome for outcome in found if outcome is not None), 1)


def _outcome_of(row: HistoryRow) -> Outcome | None:
    if row.from_status == row.to_status:
        return Outcome.FAILED if row.reason == PAYMENT_FAILED else None
    return _OUTCOMES.get(BookingStatus(row.to_status))
