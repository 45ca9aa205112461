"""Admissions, their redemption at a gate, and the document that shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from common.database.engine import Database
from common.database.inserting import insert_new
from common.database.keyset import after, page_from, sorted_cursor
from common.database.prepared import Prepared, Target
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.admissions import Admission, Redemption, Scan
from ticketing_service.domain.catalogue import TicketType
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.storage.records.admissions import redemption_of
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.writing import Writer

_admissions, _redemptions, _documents = schema.admissions, schema.redemptions, schema.documents
_ONE = select(_admissions).where(_admissions.c.id == bindparam("id"))
_LOCKED = _ONE.with_for_update()
ACTOR_LENGTH = 120
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MILLISECOND = timedelta(milliseconds=1)

_INSERT = Prepared(insert(_admissions))

UnitRedeemed = Callable[[Connection, UUID, datetime, str], None]
"""Tells the booking of an admission's first use: (connection, unit item, now, actor)."""


def add_admissions(target: Target, admissions: Sequence[Admission]) -> None:
    """Write the admissions of a booking that was paid."""
    _INSERT.run_all(target, map(_row, admissions))


def cancel_admissions(connection: Connection, unit_item_ids: Sequence[UUID], now: datetime) -> None:
    """No gate lets these unit items in any more."""
    connection.execute(
        update(_admissions)
        .where(_admissions.c.unit_item_id.in_(unit_item_ids), _admissions.c.cancelled_at.is_(None))
        .values(cancelled_at=now)
    )


class SqlAdmissions:
    """The `AdmissionStore` on an SQL database.

    Args:
        unit_redeemed: called in the transaction of the first redemption of an admission.
    """

    def __init__(self, database: Database, writer: Writer, unit_redeemed: UnitRedeemed) -> None:
        self._database, self._write, self._unit_redeemed = database, writer, unit_redeemed

    def of_booking(self, booking_id: UUID) -> tuple[Admission, ...]:
        condition = _admissions.c.booking_id == booking_id
        # unit items have ids in the order in which they were booked
        statement = select(_admissions).where(condition).order_by(_admissions.c.unit_item_id)
        with self._database.read() as connection:
            return tuple(map(admission_of, connection.execute(statement)))

    def get(self, admission_id: UUID) -> Admission | None:
        with self._database.read() as connection:
            row = connection.execute(_ONE, {"id": admission_id}).one_or_none()
        return None if row is None else admission_of(row)

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

        def verb(connection: Connection) -> Redemption:
            row = connection.execute(_LOCKED, {"id": scan.admission_id}).one_or_none()
            if row is None:
                raise Refused(Code.ADMISSION_NOT_FOUND)
            admission = admission_of(row)
            # only now: the same scan, sent twice at a time, waits for the lock and then finds its answer
            earlier = _answered_before(connection, scan, admission)
            return earlier or self._use(connection, scan, admission, check(admission), now)

        return self._write(verb, idempotency)

    def _use(
        self, connection: Connection, scan: Scan, admission: Admission, entry_key: str, now: datetime
    ) -> Redemption:
        uses = select(func.count()).where(_redemptions.c.admission_id == admission.id)
        is_first = connection.scalar(uses) == 0
        made = connection.execute(
            insert_new(connection, _redemptions).values(
                admission_id=admission.id,
                entry_key=entry_key,
                scan_id=scan.scan_id,
                poi_id=scan.poi_id,
                gate=scan.gate,
                redeemed_at=scan.scanned_at,
                recorded_at=now,
                offline=scan.offline,
            )
        )
        if made.rowcount == 0:
            raise _used_before(connection, scan, entry_key)
        if is_first:
            self._unit_redeemed(connection, admission.unit_item_id, now, f"gate {scan.gate}"[:ACTOR_LENGTH])
        return redemption_of(scan.scan_id, entry_key, scan.poi_id, scan.gate, scan.scanned_at, admission)

    def revocations(self, since: datetime | None, limit: int, cursor: str | None) -> Page[Admission]:
        moment, identifier = _admissions.c.cancelled_at, _admissions.c.id
        statement = (
            select(_admissions).where(moment.is_not(None)).order_by(moment, identifier).limit(limit + 1)
        )
        if since is not None:
            statement = statement.where(moment >= since)
        if cursor is not None:
            milliseconds, last = sorted_cursor(cursor, int)
            statement = statement.where(after(moment, identifier, _EPOCH + milliseconds * _MILLISECOND, last))
        with self._database.read() as connection:
            found = [admission_of(row) for row in connection.execute(statement)]
        return page_from(found, limit, _revocation_key)

    def document(self, booking_id: UUID, booking_version: int) -> bytes | None:
        statement = select(_documents.c.pdf).where(
            _documents.c.booking_id == booking_id, _documents.c.booking_version >= booking_version
        )
        with self._database.read() as connection:
            pdf = connection.scalar(statement)
        return None if pdf is None else bytes(pdf)

    def put_document(self, booking_id: UUID, booking_version: int, pdf: bytes, now: datetime) -> None:
        """One that is made of an older version than the one that is there is let go."""
        values = {"booking_version": booking_version, "pdf": pdf, "created_at": now}
        newer = (_documents.c.booking_id == booking_id, _documents.c.booking_version <= booking_version)

        def verb(connection: Connection) -> None:
            new = insert_new(connection, _documents).values(booking_id=booking_id, **values)
            if connection.execute(new).rowcount == 0:
                connection.execute(update(_documents).where(*newer).values(**values))

        self._write(verb)


def _answered_before(connection: Connection, scan: Scan, admission: Admission) -> Redemption | None:
    row = connection.execute(select(_redemptions).where(_redemptions.c.scan_id == scan.scan_id)).one_or_none()
    if row is None:
        return None
    if row.admission_id != admission.id or row.poi_id != scan.poi_id:
        raise Refused(Code.IDEMPOTENCY_KEY_REUSED, pointer="/scanId")
    return redemption_of(row.scan_id, row.entry_key, row.poi_id, row.gate, row.redeemed_at, admission)


def _used_before(connection: Connection, scan: Scan, entry_key: str) -> Refused:
    first = connection.execute(
        select(_redemptions).where(
            _redemptions.c.admission_id == scan.admission_id, _redemptions.c.entry_key == entry_key
        )
    ).one_or_none()
    if first is None:
        # the scan id went to another admission since it was looked for
        return Refused(Code.IDEMPOTENCY_KEY_REUSED, pointer="/scanId")
    facts = {"redeemedAt": first.redeemed_at, "gate": first.gate, "poiId": first.poi_id}
    return Refused(Code.ALREADY_REDEEMED, facts=facts)


def _revocation_key(admission: Admission) -> tuple[int, str]:
    cancelled_at = admission.cancelled_at or _EPOCH
    return (cancelled_at - _EPOCH) // _MILLISECOND, str(admission.id)


def _row(admission: Admission) -> dict[str, Any]:
    return {
        "id": admission.id,
        "booking_id": admission.booking_id,
        "item_id": admission.item_id,
        "unit_item_id": admission.unit_item_id,
        "ticket_id": admission.ticket_id,
        "ticket_type": admission.ticket_type.value,
        "title": dict(admission.title),
        "unit_title": dict(admission.unit_title),
        "poi_ids": [str(poi_id) for poi_id in admission.poi_ids],
        "pax_count": admission.pax_count,
        "time_zone": admission.time_zone,
        "first_day": admission.first_day.isoformat(),
        "valid_days": admission.valid_days,
        "valid_from": admission.valid_from,
        "valid_until": admission.valid_until,
        "code": admission.code,
        "cancelled_at": admission.cancelled_at,
    }


def admission_of(row: Row[Any]) -> Admission:
    return Admission(
        id=row.id,
        booking_id=row.booking_id,
        item_id=row.item_id,
        unit_item_id=row.unit_item_id,
        ticket_id=row.ticket_id,
        ticket_type=TicketType(row.ticket_type),
        title=row.title,
        unit_title=row.unit_title,
        poi_ids=tuple(map(UUID, row.poi_ids)),
        pax_count=row.pax_count,
        time_zone=row.time_zone,
        first_day=date.fromisoformat(row.first_day),
        valid_days=row.valid_days,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        code=row.code,
        cancelled_at=row.cancelled_at,
    )
