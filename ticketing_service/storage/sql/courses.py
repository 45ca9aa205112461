"""What has become of bookings: for many at once, a statement each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Connection, Select, bindparam, func, select

from common.database.prepared import Prepared
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.history import HistoryRow
from ticketing_service.storage.ports.bookings import Course
from ticketing_service.storage.records.bookings import begun_ones, cancelled_ones, used_ones
from ticketing_service.storage.records.entries import EntryKind
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.admissions import admission_of
from ticketing_service.storage.sql.slots import offers_in

_history, _admissions, _uses, _ledger = (
    schema.history, schema.admissions, schema.redemptions, schema.ledger,
)  # fmt: skip
_ids: BindParameter[list[UUID]] = bindparam("ids", expanding=True)
_is_one = _history.c.booking_id == bindparam("booking")
_HISTORY = select(_history).where(_history.c.booking_id.in_(_ids)).order_by(_history.c.id)
_HISTORY_OF_ONE = Prepared(select(_history).where(_is_one).order_by(_history.c.id))
_ADMISSIONS = select(_admissions).where(_admissions.c.booking_id.in_(_ids))
_ADMISSIONS_OF_ONE = Prepared(select(_admissions).where(_admissions.c.booking_id == bindparam("booking")))
_FIRST_USES = (
    select(_admissions.c.booking_id, _admissions.c.unit_item_id, func.min(_uses.c.redeemed_at).label("at"))
    .join(_uses, _uses.c.admission_id == _admissions.c.id)
    .where(_admissions.c.booking_id.in_(_ids))
    .group_by(_admissions.c.booking_id, _admissions.c.unit_item_id)
)
_GIVEN_BACK = (
    select(_ledger.c.booking_id, func.sum(_ledger.c.amount).label("amount"))
    .where(_ledger.c.booking_id.in_(_ids), _ledger.c.kind == EntryKind.REFUND.value)
    .group_by(_ledger.c.booking_id)
)


def histories_in(connection: Connection, booking_ids: Sequence[UUID]) -> dict[UUID, tuple[HistoryRow, ...]]:
    """The history of each, oldest row first."""
    found: dict[UUID, list[HistoryRow]] = {each: [] for each in booking_ids}
    for row in _rows(connection, booking_ids, _HISTORY_OF_ONE, _HISTORY):
        found[row.booking_id].append(
            HistoryRow(
                at=row.at,
                actor=row.actor,
                from_status=row.from_status,
                to_status=row.to_status,
                reason=row.reason,
            )
        )
    return {booking_id: tuple(rows) for booking_id, rows in found.items()}


def courses_in(connection: Connection, bookings: Sequence[Booking]) -> dict[UUID, Course]:
    """`BookingStore.courses`."""
    slot_ids = {booking.id: booking.items[0].slot_id for booking in bookings}
    offers = offers_in(connection, slot_ids.values(), lock=False)
    histories: dict[UUID, tuple[HistoryRow, ...]] = {}
    admissions: dict[UUID, dict[UUID, Admission]] = defaultdict(dict)
    used_at: dict[UUID, dict[UUID, datetime]] = defaultdict(dict)
    given_back: dict[UUID, int] = {}
    if begun := begun_ones(bookings):
        histories = histories_in(connection, begun)
        for row in _rows(connection, begun, _ADMISSIONS_OF_ONE, _ADMISSIONS):
            admissions[row.booking_id][row.unit_item_id] = admission_of(row)
    if used := used_ones(bookings):
        for row in connection.execute(_FIRST_USES, {"ids": used}):
            used_at[row.booking_id][row.unit_item_id] = row.at
    if cancelled := cancelled_ones(bookings):
        for row in connection.execute(_GIVEN_BACK, {"ids": cancelled}):
            given_back[row.booking_id] = int(row.amount)
    return {
        booking_id: Course(
            offer=offers.get(slot_id),
            history=histories.get(booking_id, ()),
            admissions=admissions[booking_id],
            used_at=used_at[booking_id],
            given_back=given_back.get(booking_id, 0),
        )
        for booking_id, slot_id in slot_ids.items()
    }


def _rows(connection: Connection, ids: Sequence[UUID], one: Prepared, many: Select[Any]) -> Iterable[Any]:
    """Of one booking, as is asked all the time, or of many."""
    if len(ids) == 1:
        return one.rows(connection, booking=ids[0])
    return connection.execute(many, {"ids": ids})
