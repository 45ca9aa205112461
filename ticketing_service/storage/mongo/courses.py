"""What has become of bookings: for many at once, a question each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common.mongo.transaction import Transaction
from common.mongo.values import instant
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.history import HistoryRow
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.admissions import admission_of
from ticketing_service.storage.mongo.slots import offers_in
from ticketing_service.storage.ports.bookings import Course
from ticketing_service.storage.records.bookings import (
    begun_ones,
    cancelled_ones,
    courses_of,
    keep_latest,
    used_ones,
)
from ticketing_service.storage.records.entries import EntryKind


def history_of(document: Mapping[str, Any]) -> tuple[HistoryRow, ...]:
    """The history in a booking's document, oldest row first."""
    return tuple(
        HistoryRow(
            at=instant(row["at"]),
            actor=row["actor"],
            from_status=row["from_status"],
            to_status=row["to_status"],
            reason=row["reason"],
        )
        for row in document["history"]
    )


def courses_in(reading: Transaction, bookings: Sequence[Booking]) -> dict[UUID, Course]:
    """`BookingStore.courses`."""
    offers = offers_in(reading, (each.items[0].slot_id for each in bookings))
    histories: dict[UUID, tuple[HistoryRow, ...]] = {}
    admissions: dict[UUID, dict[UUID, Admission]] = defaultdict(dict)
    units: dict[UUID, tuple[UUID, UUID]] = {}
    if begun := begun_ones(bookings):
        for each in reading.with_ids(schema.bookings, begun, ["history"]):
            histories[each["_id"]] = history_of(each)
        for document in reading.find(schema.admissions, {"booking_id": {"$in": begun}}):
            admission = admission_of(document)
            keep_latest(admissions[admission.booking_id], admission)
            units[admission.id] = (admission.booking_id, admission.unit_item_id)
    used_at: dict[UUID, dict[UUID, datetime]] = defaultdict(dict)
    if used := set(used_ones(bookings)):
        admission_ids = [each for each, (booking_id, _) in units.items() if booking_id in used]
        of_these = {"_id.admission_id": {"$in": admission_ids}}
        for use in reading.find(schema.redemptions, of_these, fields=["redeemed_at"]):
            booking_id, unit_item_id = units[use["_id"]["admission_id"]]
            at, uses = instant(use["redeemed_at"]), used_at[booking_id]
            uses[unit_item_id] = min(at, uses.get(unit_item_id, at))
    owed: dict[UUID, int] = defaultdict(int)
    if cancelled := cancelled_ones(bookings):
        entries = {"booking_id": {"$in": cancelled}}
        for entry in reading.find(schema.ledger, entries, fields=["booking_id", "kind", "amount"]):
            sign = -1 if entry["kind"] == EntryKind.REFUND.value else 1
            owed[entry["booking_id"]] += sign * entry["amount"]
    return courses_of(
        bookings, offers=offers, histories=histories, admissions=admissions, used_at=used_at, owed=owed
    )
