"""What has become of bookings: for many at once, a statement each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Connection, Select, bindparam, case, func, select

from common.database.prepared import Prepared
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.history import HistoryRow
from ticketing_service.storage.foresight import KnownOffers
from ticketing_service.storage.ports.bookings import Course
from ticketing_service.storage.records.bookings import (
    begun_ones,
    cancelled_ones,
    courses_of,
    keep_latest,
    used_ones,
)
from ticketing_service.storage.records.entries import EntryKind
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.admissions import admission_of
from ticketing_service.storage.sql.foresight import offers_now

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
_is_refund = _ledger.c.kind == EntryKind.REFUND.value
_OWED = (
    select(
        _ledger.c.booking_id,
        func.sum(case((_is_refund, -_ledger.c.amount), else_=_ledger.c.amount)).label("amount"),
    )
    .where(_ledger.c.booking_id.in_(_ids))
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


def courses_in(connection: Connection, bookings: Sequence[Booking], known: KnownOffers) -> dict[UUID, Course]:
    """`BookingStore.courses`."""
    offers = offers_now(connection, (each.items[0].slot_id for each in bookings), known)
    histories: dict[UUID, tuple[HistoryRow, ...]] = {}
    admissions: dict[UUID, dict[UUID, Admission]] = defaultdict(dict)
    used_at: dict[UUID, dict[UUID, datetime]] = defaultdict(dict)
    owed: dict[UUID, int] = {}
    if begun := begun_ones(bookings):
        histories = histories_in(connection, begun)
        for row in _rows(connection, begun, _ADMISSIONS_OF_ONE, _ADMISSIONS):
            keep_latest(admissions[row.booking_id], admission_of(row))
    if used := used_ones(bookings):
        for row in connection.execute(_FIRST_USES, {"ids": used}):
            used_at[row.booking_id][row.unit_item_id] = row.at
    if cancelled := cancelled_ones(bookings):
        for row in connection.execute(_OWED, {"ids": cancelled}):
            owed[row.booking_id] = int(row.amount)
    return courses_of(
        bookings, offers=offers, histories=histories, admissions=admissions, used_at=used_at, owed=owed
    )


def _rows(connection: Connection, ids: Sequence[UUID], one: Prepared, many: Select[Any]) -> Iterable[Any]:
    """Of one booking, as is asked all the time, or of many."""
    if len(ids) == 1:
        return one.rows(connection, booking=ids[0])
    return connection.execute(many, {"ids": ids})
