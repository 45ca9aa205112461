"""Lines of the books: what a sale and a refund write into the ledger of every store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from ticketing_service.domain.bookings import Booking, BookingItem, Channel, UnitItem
from ticketing_service.domain.catalogue import TicketType, UnitType
from ticketing_service.domain.exchanges import Exchange, changed_units
from ticketing_service.domain.refunds import CancellationPlan


class EntryKind(StrEnum):
    """A SALE and a REFUND are of one unit item, a FEE of a booking."""

    SALE = "sale"
    FEE = "fee"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the books. `amount` and `commission` are minor units and never negative (only the lines
    that take a refund back are); a refund's `commission` is what the platform gives back of its own. A fee,
    and a refund of one, has no unit item."""

    kind: EntryKind
    at: datetime
    booking_id: UUID
    channel: Channel
    reseller_id: UUID | None = None
    currency: str
    amount: int
    commission: int = 0
    unit_item_id: UUID | None = None
    ticket_id: UUID | None = None
    ticket_type: TicketType | None = None
    unit_type: UnitType | None = None


def day_of(moment: datetime) -> str:
    """The day of the books, which is a UTC day."""
    return moment.astimezone(UTC).date().isoformat()


def sales_entries(booking: Booking, now: datetime) -> list[Entry]:
    """What was captured, or is owed by a reseller: a line a unit item, cancelled ones too (their refund is a
    line of its own), and the fee. A test is in no book."""
    if booking.is_test:
        return []
    entries = [
        unit_entry(booking, item, unit, EntryKind.SALE, unit.due, unit.commission, now)
        for item in booking.items
        for unit in item.units
    ]
    if booking.price.fee:
        entries.append(booking_entry(booking, EntryKind.FEE, booking.price.fee, now))
    return entries


def unit_entry(
    booking: Booking,
    item: BookingItem,
    unit: UnitItem,
    kind: EntryKind,
    amount: int,
    commission: int,
    now: datetime,
) -> Entry:
    """A line of the books that belongs to a unit item."""
    return replace(
        booking_entry(booking, kind, amount, now),
        commission=commission,
        unit_item_id=unit.id,
        ticket_id=item.ticket_id,
        ticket_type=item.terms.ticket_type,
        unit_type=unit.unit_type,
    )


def booking_entry(booking: Booking, kind: EntryKind, amount: int, now: datetime) -> Entry:
    """A line of the books that belongs to the booking, not to one of its units."""
    return Entry(
        kind=kind,
        at=now,
        booking_id=booking.id,
        channel=booking.channel,
        reseller_id=booking.reseller_id,
        currency=booking.price.currency,
        amount=amount,
    )


def exchange_entries(exchange: Exchange, now: datetime) -> list[Entry]:
    """What was sold is given back whole, and what is sold instead is a sale."""
    booking = exchange.after
    if booking.is_test:
        return []
    entries = []
    for earlier, later in changed_units(exchange):
        if earlier is not None and earlier[1].due:
            due, commission = earlier[1].due, earlier[1].commission
            entries.append(unit_entry(booking, *earlier, EntryKind.REFUND, due, commission, now))
        if later is not None:
            due, commission = later[1].due, later[1].commission
            entries.append(unit_entry(booking, *later, EntryKind.SALE, due, commission, now))
    return entries


def refund_entries(booking: Booking, plan: CancellationPlan, now: datetime) -> list[Entry]:
    """What is given back: a line a unit item, and one of the fee."""
    if booking.is_test:
        return []
    entries = [
        unit_entry(booking, item, unit, EntryKind.REFUND, amount, unit.commission * amount // unit.due, now)
        for item in booking.items
        for unit in item.units
        if (amount := plan.refund_by_unit.get(unit.id, 0))
    ]
    if plan.fee_refund:
        entries.append(booking_entry(booking, EntryKind.REFUND, plan.fee_refund, now))
    return entries
