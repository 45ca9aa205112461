"""What has become of bookings: for many at once, a statement each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.history import HistoryRow
from ticketing_service.storage.ports.bookings import Course
from ticketing_service.storage.records.entries import EntryKind
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.admissions import admission_of

_history, _admissions, _uses, _ledger = (
    schema.history, schema.admissions, schema.redemptions, schema.ledger,
)  # fmt: skip
_ids: BindParameter[list[UUID]] = bindparam("ids", expanding=True)
_HISTORY = select(_history).where(_history.c.booking_id.in_(_ids)).order_by(_history.c.id)
_ADMISSIONS = select(_admissions).where(_admissions.c.booking_id.in_(_ids))
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
    for row in connection.execute(_HISTORY, {"ids": booking_ids}):
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


def courses_in(connection: Connection, booking_ids: Sequence[UUID]) -> dict[UUID, Course]:
    """`BookingStore.courses`."""
    if not booking_ids:
        return {}
    ids = {"ids": booking_ids}
    admissions: dict[UUID, dict[UUID, Admission]] = defaultdict(dict)
    for row in connection.execute(_ADMISSIONS, ids):
        admissions[row.booking_id][row.unit_item_id] = admission_of(row)
    used_at: dict[UUID, dict[UUID, datetime]] = defaultdict(dict)
    for row in connection.execute(_FIRST_USES, ids):
        used_at[row.booking_id][row.unit_item_id] = row.at
    given_back = {row.booking_id: int(row.amount) for row in connection.execute(_GIVEN_BACK, ids)}
    return {
        booking_id: Course(
            history=history,
            admissions=admissions[booking_id],
            used_at=used_at[booking_id],
            given_back=given_back.get(booking_id, 0),
        )
        for booking_id, history in histories_in(connection, booking_ids).items()
        if history
    }
