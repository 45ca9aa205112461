"""A customer's data, taken out of what has to be kept."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    type_coerce,
    update,
)

from common.database.engine import Database
from common.identifiers import uuid7
from ticketing_service.domain.bookings import BookingStatus, PaymentStatus
from ticketing_service.domain.claims import email_key
from ticketing_service.storage.ports.people import Erasure
from ticketing_service.storage.records.resale import without_people
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.writing import Writer

_bookings, _items, _documents = schema.bookings, schema.booking_items, schema.documents
_outbox, _idempotency = schema.outbox, schema.idempotency
NOBODY = "erased.invalid"
"""A domain that no mail reaches (RFC 6761 section 6.4)."""

_MONEY_MOVES = (PaymentStatus.PENDING, PaymentStatus.AUTHORIZED, PaymentStatus.REFUND_PENDING)
CHUNK = 200


class SqlPeople:
    """The `PeopleStore` on an SQL database."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database, self._write = database, writer

    def erase(self, email: str, now: datetime) -> Erasure:
        """See PeopleStore. In chunks: somebody may have thousands of bookings."""
        key, pseudonym = email_key(email), f"{uuid7().hex}@{NOBODY}"
        bookings = 0
        while True:
            done = self._write(lambda connection: _erase_some(connection, key, pseudonym, now))
            bookings += done
            if done < CHUNK:
                break
        self._write(lambda connection: _forget_tasks(connection, key))
        with self._database.read() as connection:
            left = select(func.count()).select_from(_bookings).where(_bookings.c.customer_email_key == key)
            return Erasure(bookings=bookings, open_bookings=connection.scalar(left) or 0)


def _erase_some(connection: Connection, key: str, pseudonym: str, now: datetime) -> int:
    chosen = select(_bookings.c.id).where(_bookings.c.customer_email_key == key, _is_over(now)).limit(CHUNK)
    ids: list[UUID] = list(connection.scalars(chosen))
    if not ids:
        return 0
    connection.execute(
        update(_bookings)
        .where(_bookings.c.id.in_(ids))
        .values(
            customer_name="-",
            customer_email=pseudonym,
            customer_email_key=pseudonym,
            customer_phone=None,
            principal=None,
            updated_at=now,
            version=_bookings.c.version + 1,
        )
    )
    resold = select(_bookings.c.id, _bookings.c.resale).where(
        _bookings.c.id.in_(ids), _bookings.c.resale.is_not(None)
    )
    for row in connection.execute(resold).all():
        changed = update(_bookings).where(_bookings.c.id == row.id).values(resale=without_people(row.resale))
        connection.execute(changed)
    connection.execute(delete(_documents).where(_documents.c.booking_id.in_(ids)))
    connection.execute(delete(_idempotency).where(_idempotency.c.about.in_(ids)))
    return len(ids)


def _is_over(now: datetime) -> ColumnElement[bool]:
    """Nothing of the booking is still to come, and no money of it still to move."""
    to_come = exists().where(_items.c.booking_id == _bookings.c.id, _items.c.ends_at > now)
    ended = (BookingStatus.EXPIRED.value, BookingStatus.CANCELLED.value)
    moves = _bookings.c.payment_status.in_([status.value for status in _MONEY_MOVES])
    return and_(or_(_bookings.c.status.in_(ended), ~to_come), ~moves)


def _forget_tasks(connection: Connection, key: str) -> None:
    """Mails that were given up and name the address; those that wait are sent before long."""
    written = func.lower(type_coerce(_outbox.c.payload, Text))
    dead = and_(_outbox.c.kind == "mail", _outbox.c.due_at.is_(None))
    connection.execute(delete(_outbox).where(dead, written.contains(key, autoescape=True)))
