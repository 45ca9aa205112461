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
from ticketing_service.storage.records.bookings import begun_ones, cancelled_ones, used_ones
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
    slot_ids = {booking.id: booking.items[0].slot_id for booking in bookings}
    offers = offers_in(reading, slot_ids.values())
    histories: dict[UUID, tuple[HistoryRow, ...]] = {}
    admissions: dict[UUID, dict[UUID, Admission]] = defaultdict(dict)
    units: dict[UUID, tuple[UUID, UUID]] = {}
    if begun := begun_ones(bookings):
        for each in reading.with_ids(schema.bookings, begun, ["history"]):
            histories[each["_id"]] = history_of(each)
        for document in reading.find(schema.admissions, {"booking_id": {"$in": begun}}):
            admission = admission_of(document)
            admissions[admission.booking_id][admission.unit_item_id] = admission
            units[admission.id] = (admission.booking_id, admission.unit_item_id)
    used_at: dict[UUID, dict[UUID, datetime]] = defaultdict(dict)
    if used := set(used_ones(bookings)):
        admission_ids = [each for each, (booking_id, _) in units.items() if booking_id in used]
        of_these = {"_id.admission_id": {"$in": admission_ids}}
        for use in reading.find(schema.redemptions, of_these, fields=["redeemed_at"]):
            booking_id, unit_item_id = units[use["_id"]["admission_id"]]
            at, uses = instant(use["redeemed_at"]), used_at[booking_id]
            uses[unit_item_id] = min(at, uses.get(unit_item_id, at))
    given_back: dict[UUID, int] = defaultdict(int)
    if cancelled := cancelled_ones(bookings):
        refunds = {"booking_id": {"$in": cancelled}, "kind": EntryKind.REFUND.value}
        for entry in reading.find(schema.ledger, refunds, fields=["booking_id", "amount"]):
            given_back[entry["booking_id"]] += entry["amount"]
    return {
        booking_id: Course(
            offer=offers.get(slot_id),
            history=histories.get(booking_id, ()),
            admissions=admissions[booking_id],
            used_at=used_at[booking_id],
            given_back=given_back[booking_id],
        )
        for booking_id, slot_id in slot_ids.items()
    }
