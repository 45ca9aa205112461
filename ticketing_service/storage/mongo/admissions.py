"""Admissions, their redemption at a gate, and the document that shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from common.database.cursors import page_from, sorted_cursor
from common.mongo.database import MongoDatabase
from common.mongo.keyset import after
from common.mongo.transaction import Transaction
from common.mongo.values import Document, instant, ms
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.admissions import Admission, Redemption, Scan
from ticketing_service.domain.catalogue import TicketType
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.writing import Writer
from ticketing_service.storage.records.admissions import redemption_of

ACTOR_LENGTH = 120
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

UnitRedeemed = Callable[[Transaction, UUID, UUID, datetime, str], None]
"""Tells the booking of an admission's first use: (transaction, booking, unit item, now, actor)."""


def add_admissions(tx: Transaction, admissions: Sequence[Admission]) -> None:
    """Write the admissions of a booking that was paid."""
    tx.insert(schema.admissions, map(_document, admissions))


def cancel_admissions(tx: Transaction, unit_item_ids: Sequence[UUID], now: datetime) -> None:
    """No gate lets these unit items in any more."""
    good = {"unit_item_id": {"$in": list(unit_item_ids)}, "cancelled_at": None}
    tx.update_all(schema.admissions, good, {"$set": {"cancelled_at": ms(now)}})


class MongoAdmissions:
    """The `AdmissionStore` on MongoDB.

    Args:
        unit_redeemed: called in the transaction of the first redemption of an admission.
    """

    def __init__(self, database: MongoDatabase, writer: Writer, unit_redeemed: UnitRedeemed) -> None:
        self._database, self._write, self._unit_redeemed = database, writer, unit_redeemed

    def of_booking(self, booking_id: UUID) -> tuple[Admission, ...]:
        # unit items have ids in the order in which they were booked
        with self._database.read() as reading:
            found = reading.find(schema.admissions, {"booking_id": booking_id}, sort=[("unit_item_id", 1)])
        return tuple(map(admission_of, found))

    def get(self, admission_id: UUID) -> Admission | None:
        with self._database.read() as reading:
            found = reading.one(schema.admissions, {"_id": admission_id})
        return None if found is None else admission_of(found)

    def redeem(
        self,
        scan: Scan,
        check: Callable[[Admission], str],
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Redemption:
        """Besides the port's refusals: IDEMPOTENCY_KEY_REUSED at /scanId when that scan was of another
        admission or place."""

        def verb(tx: Transaction) -> Redemption:
            found = tx.one(schema.admissions, {"_id": scan.admission_id})
            if found is None:
                raise Refused(Code.ADMISSION_NOT_FOUND)
            admission = admission_of(found)
            # the same scan, sent twice at a time, loses against the first, and then finds its answer
            earlier = _answered_before(tx, scan, admission)
            return earlier or self._use(tx, scan, found, check(admission), now)

        return self._write(verb, idempotency, [scan.admission_id, scan.scan_id])

    def _use(
        self, tx: Transaction, scan: Scan, document: Document, entry_key: str, now: datetime
    ) -> Redemption:
        admission = admission_of(document)
        entry = {"admission_id": admission.id, "entry_key": entry_key}
        first = tx.one(schema.redemptions, {"_id": entry})
        if first is not None:
            facts = {
                "redeemedAt": instant(first["redeemed_at"]),
                "gate": first["gate"],
                "poiId": first["poi_id"],
            }
            raise Refused(Code.ALREADY_REDEEMED, facts=facts)
        # who cancels the admission, or uses it too, changes this document as well: one of the two loses
        tx.update(schema.admissions, {"_id": admission.id}, {"$inc": {"uses": 1}})
        redemption = {
            "_id": entry,
            "scan_id": scan.scan_id,
            "poi_id": scan.poi_id,
            "gate": scan.gate,
            "redeemed_at": ms(scan.scanned_at),
            "recorded_at": ms(now),
            "offline": scan.offline,
        }
        tx.insert_or_lose(schema.redemptions, [redemption])
        if document["uses"] == 0:
            actor = f"gate {scan.gate}"[:ACTOR_LENGTH]
            self._unit_redeemed(tx, admission.booking_id, admission.unit_item_id, now, actor)
        return redemption_of(scan.scan_id, entry_key, scan.poi_id, scan.gate, scan.scanned_at, admission)

    def revocations(self, since: datetime | None, limit: int, cursor: str | None) -> Page[Admission]:
        conditions: list[Document] = [{"cancelled_at": {"$type": "long"}}]
        if since is not None:
            conditions.append({"cancelled_at": {"$gte": ms(since)}})
        if cursor is not None:
            milliseconds, last = sorted_cursor(cursor, int)
            conditions.append(after("cancelled_at", milliseconds, last))
        with self._database.read() as reading:
            found = reading.find(
                schema.admissions,
                {"$and": conditions},
                sort=[("cancelled_at", 1), ("_id", 1)],
                limit=limit + 1,
            )
        return page_from([admission_of(each) for each in found], limit, _revocation_key)

    def document(self, booking_id: UUID, booking_version: int) -> bytes | None:
        newer = {"_id": booking_id, "booking_version": {"$gte": booking_version}}
        with self._database.read() as reading:
            found = reading.one(schema.documents, newer, ["pdf"])
        return None if found is None else bytes(found["pdf"])

    def put_document(self, booking_id: UUID, booking_version: int, pdf: bytes, now: datetime) -> None:
        """One that is made of an older version than the one that is there is let go."""
        made = {"_id": booking_id, "booking_version": booking_version, "pdf": pdf, "created_at": ms(now)}
        older = {"_id": booking_id, "booking_version": {"$lte": booking_version}}

        def verb(tx: Transaction) -> None:
            if not tx.insert_new(schema.documents, made):
                tx.replace(schema.documents, older, made)

        self._write(verb, None, [booking_id])


def _answered_before(tx: Transaction, scan: Scan, admission: Admission) -> Redemption | None:
    found = tx.one(schema.redemptions, {"scan_id": scan.scan_id})
    if found is None:
        return None
    entry = found["_id"]
    if entry["admission_id"] != admission.id or found["poi_id"] != scan.poi_id:
        raise Refused(Code.IDEMPOTENCY_KEY_REUSED, pointer="/scanId")
    return redemption_of(
        found["scan_id"],
        entry["entry_key"],
        found["poi_id"],
        found["gate"],
        instant(found["redeemed_at"]),
        admission,
    )


def _revocation_key(admission: Admission) -> tuple[int, str]:
    cancelled_at = admission.cancelled_at or _EPOCH
    return (cancelled_at - _EPOCH) // _MILLISECOND, str(admission.id)


def _document(admission: Admission) -> Document:
    return {
        "_id": admission.id,
        "booking_id": admission.booking_id,
        "item_id": admission.item_id,
        "unit_item_id": admission.unit_item_id,
        "ticket_id": admission.ticket_id,
        "ticket_type": admission.ticket_type.value,
        "title": dict(admission.title),
        "unit_title": dict(admission.unit_title),
        "poi_ids": list(admission.poi_ids),
        "pax_count": admission.pax_count,
        "time_zone": admission.time_zone,
        "first_day": admission.first_day.isoformat(),
        "valid_days": admission.valid_days,
        "valid_from": ms(admission.valid_from),
        "valid_until": ms(admission.valid_until),
        "code": admission.code,
        "cancelled_at": ms(admission.cancelled_at),
        "uses": 0,
    }


def admission_of(document: Mapping[str, Any]) -> Admission:
    return Admission(
        id=document["_id"],
        booking_id=document["booking_id"],
        item_id=document["item_id"],
        unit_item_id=document["unit_item_id"],
        ticket_id=document["ticket_id"],
        ticket_type=TicketType(document["ticket_type"]),
        title=document["title"],
        unit_title=document["unit_title"],
        poi_ids=tuple(document["poi_ids"]),
        pax_count=document["pax_count"],
        time_zone=document["time_zone"],
        first_day=date.fromisoformat(document["first_day"]),
        valid_days=document["valid_days"],
        valid_from=instant(document["valid_from"]),
        valid_until=instant(document["valid_until"]),
        code=document["code"],
        cancelled_at=instant(document["cancelled_at"]),
    )
