"""The list of bookings, for staff and resellers: filters and a cursor, each on an index."""

from __future__ import annotations

from datetime import date, datetime, time

from sqlalchemy import Connection, and_, exists, select

from common.database.keyset import id_cursor, page_from
from common.pages import Page
from ticketing_service.domain.bookings import Booking
from ticketing_service.storage.ports.bookings import BookingQuery
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.booking_records import bookings_of

_bookings, _items = schema.bookings, schema.booking_items


def booking_page(connection: Connection, query: BookingQuery) -> Page[Booking]:
    """Newest first: ids are UUIDv7, so their order is that of creation."""
    equal = (
        (_bookings.c.status, query.status and query.status.value),
        (_bookings.c.reference, query.reference),
        (_bookings.c.reseller_id, query.reseller_id),
        (_bookings.c.is_test, query.is_test),
        (_bookings.c.resale_reference, query.resale_reference),
        (_bookings.c.customer_email_key, query.email and query.email.strip().casefold()),
    )
    conditions = [column == wanted for column, wanted in equal if wanted is not None]
    if query.created_from is not None:
        conditions.append(_bookings.c.created_at >= query.created_from)
    if query.created_to is not None:
        conditions.append(_bookings.c.created_at < query.created_to)
    for column, wanted in ((_items.c.ticket_id, query.ticket_id), (_items.c.slot_id, query.slot_id)):
        if wanted is not None:
            conditions.append(exists().where(and_(_items.c.booking_id == _bookings.c.id, column == wanted)))
    if query.local_from is not None or query.local_to is not None:
        first, last = query.local_from or date.min, query.local_to or date.max
        begins = _items.c.local_start.between(
            datetime.combine(first, time.min), datetime.combine(last, time.max)
        )
        conditions.append(exists().where(_items.c.booking_id == _bookings.c.id, begins))
    if query.cursor is not None:
        conditions.append(_bookings.c.id < id_cursor(query.cursor))
    statement = select(_bookings).where(*conditions).order_by(_bookings.c.id.desc()).limit(query.limit + 1)
    bookings = bookings_of(connection, connection.execute(statement).all())
    return page_from(bookings, query.limit, lambda booking: (str(booking.id),))
