"""A booking while a transaction has it: it is read once, changed in memory, and written once, with what it
gives back of counters last.

Whoever else changes the booking meanwhile loses, or makes this transaction lose: so it is as good as locked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common.identifiers import uuid7
from common.mongo.failures import Conflict
from common.mongo.transaction import Transaction
from common.mongo.values import Document, ms
from ticketing_service.domain.bookings import Booking, BookingStatus
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.booking_records import booking_document, booking_fields, booking_of
from ticketing_service.storage.mongo.webhook_events import tell_booking

ACTOR_LENGTH, REASON_LENGTH = 120, 500


class BookingFile:
    """`claims`, `payments` and `refunds` are the lists of the document, to be changed in place, or by what
    this class has for it. `moves` are what the counters get at the end: (held, sold) by counter.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.moves: dict[UUID, list[int]] = defaultdict(lambda: [0, 0])
        self._read: Booking | None = None
        self._version = document["version"]
        # what webhooks are to hear, where the counters' moves do not say it
        self.takes_places = False
        self.left: Booking | None = None

    @classmethod
    def begun(cls, booking: Booking) -> BookingFile:
        """That of a booking which is not written yet (see `insert`)."""
        return cls(booking_document(booking))

    @property
    def id(self) -> UUID:
        identifier: UUID = self.document["_id"]
        return identifier

    @property
    def booking(self) -> Booking:
        """As it is now."""
        if self._read is None:
            self._read = booking_of(self.document)
        return self._read

    @property
    def claims(self) -> list[Document]:
        found: list[Document] = self.document["claims"]
        return found

    @property
    def payments(self) -> list[Document]:
        found: list[Document] = self.document["payments"]
        return found

    @property
    def refunds(self) -> list[Document]:
        found: list[Document] = self.document["refunds"]
        self._read = None
        return found

    @property
    def units(self) -> list[Document]:
        """Of all items."""
        return [unit for item in self.document["items"] for unit in item["units"]]

    def keep(self, booking: Booking) -> Booking:
        """From now on it is `booking`, but for its refunds."""
        ends = {unit["id"]: unit["admits_until"] for unit in self.units}
        self.document.update(booking_fields(booking))
        for unit in self.units:
            unit["admits_until"] = ends.get(unit["id"])
        self._read = None
        return self.booking

    def note(
        self, before: BookingStatus | None, after: BookingStatus, actor: str, reason: str, now: datetime
    ) -> None:
        """One more row of its history."""
        self.document["history"].append(
            {
                "id": uuid7(),
                "at": ms(now),
                "actor": actor[:ACTOR_LENGTH],
                "from_status": None if before is None else before.value,
                "to_status": after.value,
                "reason": reason[:REASON_LENGTH],
            }
        )

    def admitted(self, unit_item_id: UUID, admission_id: UUID, until: datetime) -> None:
        """The unit item has its admission, which ends at `until`."""
        for unit in self.units:
            if unit["id"] == unit_item_id:
                unit["admission_id"], unit["admits_until"] = admission_id, ms(until)
        self._read = None

    def readmitted(self, unit_item_ids: Collection[UUID]) -> None:
        """What the unit items were admitted with is void."""
        for unit in self.units:
            if unit["id"] in unit_item_ids:
                unit["admits_until"] = None

    def _settled(self) -> Document:
        """The document with what follows from its parts."""
        usable = [
            unit["admits_until"] for unit in self.units if unit["status"] == BookingStatus.CONFIRMED.value
        ]
        looks = [payment["next_look_at"] for payment in self.payments]
        self.document["admits_until"] = max((each for each in usable if each is not None), default=None)
        self.document["next_look_at"] = min((each for each in looks if each is not None), default=None)
        self.document["provider_ids"] = [
            payment["provider_id"] for payment in self.payments if payment["provider_id"] is not None
        ]
        return self.document

    def insert(self, tx: Transaction) -> None:
        """Write the new document."""
        tx.insert(schema.bookings, [self._settled()])
        tell_booking(tx, self.booking, self.booking.updated_at, places=True)

    def replace(self, tx: Transaction) -> None:
        """Write the document in the place of the one that was read."""
        revision = self.document["revision"]
        self.document["revision"] = revision + 1
        if tx.replace(schema.bookings, {"_id": self.id, "revision": revision}, self._settled()) == 0:
            raise Conflict(schema.bookings.name)
        if self.document["version"] != self._version:
            places = self.takes_places or any(held + sold for held, sold in self.moves.values())
            tell_booking(tx, self.booking, self.booking.updated_at, places=places, before=self.left)


def opened(tx: Transaction, booking_id: UUID) -> BookingFile:
    """The booking's file. Raises BOOKING_NOT_FOUND."""
    found = tx.one(schema.bookings, {"_id": booking_id})
    if found is None:
        raise Refused(Code.BOOKING_NOT_FOUND)
    return BookingFile(found)


def opened_by(tx: Transaction, condition: dict[str, Any]) -> BookingFile | None:
    """The file of the one booking that fits, if there is one."""
    found = tx.one(schema.bookings, condition)
    return None if found is None else BookingFile(found)


def save(tx: Transaction, files: Sequence[BookingFile]) -> None:
    """Write them, and then what their counters get: those are what all sales want."""
    for each in files:
        each.replace(tx)
    apply_moves(tx, files)


def apply_moves(tx: Transaction, files: Iterable[BookingFile]) -> None:
    """Give the counters what the files have for them, in the order of their ids."""
    moves: dict[UUID, list[int]] = defaultdict(lambda: [0, 0])
    for each in files:
        for counter_id, (held, sold) in each.moves.items():
            moves[counter_id][0] += held
            moves[counter_id][1] += sold
        each.moves.clear()
    tx.update_each(
        schema.counters,
        [
            ({"_id": counter_id}, {"$inc": {"held": held, "sold": sold}})
            for counter_id, (held, sold) in sorted(moves.items())
            if held or sold
        ],
    )
