"""What webhooks tell of, written in the commit of the change."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.catalogue import Ticket
from ticketing_service.domain.slots import Slot
from ticketing_service.domain.webhooks import Subscription
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.webhook_records import ACTIVE, event_document, subscription_of
from ticketing_service.storage.records.webhooks import (
    booking_event,
    schedule_event,
    slot_event,
    ticket_event,
)
from ticketing_service.storage.subscribed import NOTHING, Wanted, wanted_by

_WANTED = "wanted webhooks"


def read_wanted(database: MongoDatabase) -> Wanted:
    """What the active subscriptions want now."""
    with database.read() as reading:
        return wanted_by(active_subscriptions(reading))


def active_subscriptions(tx: Transaction) -> list[Subscription]:
    """All of them."""
    return [subscription_of(each) for each in tx.find(schema.webhook_subscriptions, ACTIVE)]


def tell_of(tx: Transaction, wanted: Wanted) -> None:
    """The verb that runs in the transaction is to write what is `wanted`."""
    tx.noted[_WANTED] = wanted


def tell_booking(
    tx: Transaction,
    booking: Booking,
    now: datetime,
    *,
    places: bool = False,
    before: Booking | None = None,
) -> None:
    """The booking is another now; `places`: it has taken some, or given some back, also of those `before`."""
    if _wanted(tx).of_booking(booking.reseller_id, booking.is_test, places=places):
        event = booking_event(booking, now, places=places, before=before)
        tx.insert(schema.webhook_events, [event_document(event)])


def tell_ticket(tx: Transaction, ticket: Ticket) -> None:
    """The ticket is new, or another now."""
    if _wanted(tx).products:
        tx.insert(schema.webhook_events, [event_document(ticket_event(ticket))])


def tell_slot(tx: Transaction, slot: Slot, now: datetime) -> None:
    """Staff have changed the slot."""
    if _wanted(tx).availability:
        tx.insert(schema.webhook_events, [event_document(slot_event(slot, now))])


def tell_schedule(tx: Transaction, ticket_id: UUID, now: datetime) -> None:
    """Slots of the ticket are new, or others now."""
    if _wanted(tx).availability:
        tx.insert(schema.webhook_events, [event_document(schedule_event(ticket_id, now))])


def _wanted(tx: Transaction) -> Wanted:
    found: Wanted = tx.noted.get(_WANTED, NOTHING)
    return found
