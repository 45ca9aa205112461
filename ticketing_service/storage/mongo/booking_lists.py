"""The list of bookings, for staff and resellers: filters and a cursor, each on an index."""

from __future__ import annotations

from datetime import timedelta

from common.database.cursors import id_cursor, page_from
from common.mongo.transaction import Transaction
from common.mongo.values import Document, ms
from common.pages import Page
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.claims import email_key
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.booking_records import booking_of
from ticketing_service.storage.ports.bookings import BookingQuery


def booking_page(reading: Transaction, query: BookingQuery) -> Page[Booking]:
    """Newest first: ids are UUIDv7, so their order is that of creation."""
    equal = {
        "status": query.status and query.status.value,
        "reference": query.reference,
        "reseller_id": query.reseller_id,
        "is_test": query.is_test,
        "resale_reference": query.resale_reference,
        "customer.email_key": None if query.email is None else email_key(query.email),
        "items.ticket_id": query.ticket_id,
        "items.slot_id": query.slot_id,
    }
    condition: Document = {name: value for name, value in equal.items() if value is not None}
    created = {}
    if query.created_from is not None:
        created["$gte"] = ms(query.created_from)
    if query.created_to is not None:
        created["$lt"] = ms(query.created_to)
    if created:
        condition["created_at"] = created
    begins = {}
    if query.local_from is not None:
        begins["$gte"] = query.local_from.isoformat()
    if query.local_to is not None:
        # local times are texts that go on behind the day
        begins["$lt"] = (query.local_to + timedelta(days=1)).isoformat()
    if begins:
        condition["items"] = {"$elemMatch": {"local_start": begins}}
    if query.cursor is not None:
        condition["_id"] = {"$lt": id_cursor(query.cursor)}
    found = reading.find(schema.bookings, condition, sort=[("_id", -1)], limit=query.limit + 1)
    return page_from([booking_of(each) for each in found], query.limit, lambda booking: (str(booking.id),))
