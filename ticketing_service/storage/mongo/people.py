"""A customer's data, taken out of what has to be kept."""

from __future__ import annotations

import re
from datetime import datetime

from common.identifiers import uuid7
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import Document, ms
from ticketing_service.domain.bookings import BookingStatus, PaymentStatus
from ticketing_service.domain.claims import email_key
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.writing import Writer
from ticketing_service.storage.ports.people import Erasure
from ticketing_service.storage.records.resale import without_people

NOBODY = "erased.invalid"
"""A domain that no mail reaches (RFC 6761 section 6.4)."""

_MONEY_MOVES = (PaymentStatus.PENDING, PaymentStatus.AUTHORIZED, PaymentStatus.REFUND_PENDING)
CHUNK = 200


class MongoPeople:
    """The `PeopleStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, writer: Writer) -> None:
        self._database, self._write = database, writer

    def erase(self, email: str, now: datetime) -> Erasure:
        """See PeopleStore. In chunks: somebody may have thousands of bookings."""
        key, pseudonym = email_key(email), f"{uuid7().hex}@{NOBODY}"
        bookings = 0
        while True:
            done = self._write(lambda tx: _erase_some(tx, key, pseudonym, now))
            bookings += done
            if done < CHUNK:
                break
        self._write(lambda tx: _forget_tasks(tx, key))
        with self._database.read() as reading:
            left = reading.count(schema.bookings, {"customer.email_key": key})
        return Erasure(bookings=bookings, open_bookings=left)


def _erase_some(tx: Transaction, key: str, pseudonym: str, now: datetime) -> int:
    found = tx.find(
        schema.bookings, {"customer.email_key": key, **_is_over(now)}, limit=CHUNK, fields=["resale"]
    )
    chosen = {"_id": {"$in": [each["_id"] for each in found]}}
    if not found:
        return 0
    nobody = {
        "customer.name": "-",
        "customer.email": pseudonym,
        "customer.email_key": pseudonym,
        "customer.phone": None,
        "principal": None,
        "updated_at": ms(now),
    }
    tx.update_all(schema.bookings, chosen, {"$set": nobody, "$inc": {"version": 1, "revision": 1}})
    tx.update_each(
        schema.bookings,
        [
            ({"_id": each["_id"]}, {"$set": {"resale": without_people(each["resale"])}})
            for each in found
            if each["resale"] is not None
        ],
    )
    tx.delete(schema.documents, chosen)
    tx.delete(schema.idempotency, {"about": {"$type": "binData", **chosen["_id"]}})
    return len(found)


def _is_over(now: datetime) -> Document:
    """Nothing of the booking is still to come, and no money of it still to move."""
    ended = [BookingStatus.EXPIRED.value, BookingStatus.CANCELLED.value]
    return {
        "$or": [{"status": {"$in": ended}}, {"ends_at": {"$lte": ms(now)}}],
        "payment_status": {"$nin": [status.value for status in _MONEY_MOVES]},
    }


def _forget_tasks(tx: Transaction, key: str) -> None:
    """Mails that were given up and name the address; those that wait are sent before long."""
    written = {"$regex": re.escape(key), "$options": "i"}
    tx.delete(schema.outbox, {"kind": "mail", "due_at": None, "payload": written})
