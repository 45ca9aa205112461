"""What webhooks tell of, written in the commit of the change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from common.database.engine import Database
from common.database.prepared import Prepared, Target
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.catalogue import Ticket
from ticketing_service.domain.slots import Slot
from ticketing_service.domain.webhooks import Event, Subscription
from ticketing_service.storage.records.webhooks import (
    booking_event,
    event_body,
    event_of,
    schedule_event,
    slot_event,
    ticket_event,
)
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.booking_records import bookings_of
from ticketing_service.storage.sql.webhook_records import ACTIVE, subscription_of
from ticketing_service.storage.subscribed import NOTHING, Wanted, wanted_by

_WANTED = "wanted webhooks"
_INSERT = Prepared(insert(schema.webhook_events))


def read_wanted(database: Database) -> Wanted:
    """What the active subscriptions want now."""
    with database.read() as connection:
        return wanted_by(active_subscriptions(connection))


def active_subscriptions(connection: Connection) -> list[Subscription]:
    """All of them."""
    return [
        subscription_of(row) for row in connection.execute(select(schema.webhook_subscriptions).where(ACTIVE))
    ]


def tell_of(target: Target, wanted: Wanted) -> None:
    """What writes to `target` is to tell what is `wanted`."""
    target.info[_WANTED] = wanted


def tell_booking(
    target: Target,
    booking: Booking,
    now: datetime,
    *,
    places: bool = False,
    before: Booking | None = None,
) -> None:
    """The booking is another now; `places`: it has taken some, or given some back, also of those `before`."""
    if _wanted(target).of_booking(booking.reseller_id, booking.is_test, places=places):
        _write(target, [booking_event(booking, now, places=places, before=before)])


def tell_bookings(connection: Connection, booking_ids: Sequence[UUID], now: datetime) -> None:
    """The bookings have given all their places back."""
    wanted, table = _wanted(connection), schema.bookings
    if wanted == NOTHING:
        return
    rows = connection.execute(select(table).where(table.c.id.in_(booking_ids)).order_by(table.c.id)).all()
    told = [
        booking_event(each, now, places=True)
        for each in bookings_of(connection, rows)
        if wanted.of_booking(each.reseller_id, each.is_test, places=True)
    ]
    _write(connection, told)


def tell_ticket(connection: Connection, ticket: Ticket) -> None:
    """The ticket is new, or another now."""
    if _wanted(connection).products:
        _write(connection, [ticket_event(ticket)])


def tell_slot(connection: Connection, slot: Slot, now: datetime) -> None:
    """Staff have changed the slot."""
    if _wanted(connection).availability:
        _write(connection, [slot_event(slot, now)])


def tell_schedule(connection: Connection, ticket_id: UUID, now: datetime) -> None:
    """Slots of the ticket are new, or others now."""
    if _wanted(connection).availability:
        _write(connection, [schedule_event(ticket_id, now)])


def stored_event(row: Any) -> Event:
    """The event of a row."""
    names = ("id", "subject", "sequence", "reseller_id", "is_test", "at")
    return event_of({name: getattr(row, name) for name in names}, row.body)


def _wanted(target: Target) -> Wanted:
    found: Wanted = target.info.get(_WANTED, NOTHING)
    return found


def _write(target: Target, events: Sequence[Event]) -> None:
    _INSERT.run_all(
        target,
        (
            {
                "id": each.id,
                "subject": each.subject,
                "sequence": each.sequence,
                "reseller_id": each.reseller_id,
                "is_test": each.is_test,
                "body": event_body(each),
                "at": each.at,
            }
            for each in events
        ),
    )
