"""Imports: jobs, their files and their reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, and_, delete, insert, select, update

from admin_service.domain.audit import AuditEvent
from admin_service.domain.errors import Code, Refused
from admin_service.domain.imports import ImportJob, ImportStatus, Outcome, RowReport, added
from admin_service.storage.ports.pois import PoiWrite
from admin_service.storage.sql import audit
from admin_service.storage.sql import poi_tables as tables
from admin_service.storage.sql.import_records import job_of, job_row, outcomes_json, report_of, report_row
from admin_service.storage.sql.outbox import add_task
from admin_service.storage.sql.poi_writing import write_all
from common.database.engine import Database
from common.database.keyset import id_cursor, page_from
from common.database.writing import Write
from common.pages import Page
from common.web.field_errors import coded
from common.web.paging import decode_cursor

IMPORT_TASK = "poi-import"

_jobs, _chunks, _rows = tables.imports, tables.import_chunks, tables.import_rows


class SqlImports:
    """The `ImportStore` on an SQL database."""

    def __init__(self, database: Database, write: Write) -> None:
        self._database, self._write = database, write

    def begin(self, job: ImportJob) -> None:
        """See ImportStore."""
        self._write(lambda connection: connection.execute(insert(_jobs).values(**job_row(job))))

    def add_chunk(self, import_id: UUID, position: int, content: bytes) -> None:
        """See ImportStore."""
        row = {"import_id": import_id, "position": position, "content": content}
        self._write(lambda connection: connection.execute(insert(_chunks).values(**row)))

    def received(self, import_id: UUID, bytes_total: int, now: datetime, event: AuditEvent) -> ImportJob:
        """See ImportStore."""

        def verb(connection: Connection) -> ImportJob:
            values = {"status": ImportStatus.WAITING.value, "bytes_total": bytes_total, "updated_at": now}
            connection.execute(update(_jobs).where(_jobs.c.id == import_id).values(**values))
            add_task(connection, IMPORT_TASK, {"importId": str(import_id)}, now)
            audit.append(connection, event)
            return _locked(connection, import_id)

        return self._write(verb)

    def drop(self, import_id: UUID) -> None:
        """See ImportStore."""
        self._write(lambda connection: _dropped(connection, [import_id]))

    def job(self, import_id: UUID) -> ImportJob | None:
        """See ImportStore."""
        with self._database.read() as connection:
            row = connection.execute(select(_jobs).where(_jobs.c.id == import_id)).one_or_none()
        return None if row is None else job_of(row)

    def jobs(self, account: str | None, limit: int, cursor: str | None) -> Page[ImportJob]:
        """See ImportStore."""
        statement = select(_jobs).order_by(_jobs.c.id.desc()).limit(limit + 1)
        if account is not None:
            statement = statement.where(_jobs.c.account == account)
        if cursor is not None:
            statement = statement.where(_jobs.c.id < id_cursor(cursor))
        with self._database.read() as connection:
            found = [job_of(row) for row in connection.execute(statement)]
        return page_from(found, limit, lambda job: (str(job.id),))

    def chunks(self, import_id: UUID) -> Iterator[bytes]:
        """See ImportStore. Each part is read by itself: a reader that takes its time holds no connection."""
        position = 0
        while True:
            is_it = (_chunks.c.import_id == import_id, _chunks.c.position == position)
            with self._database.read() as connection:
                content = connection.scalar(select(_chunks.c.content).where(*is_it))
            if content is None:
                return
            yield bytes(content)
            position += 1

    def write_rows(
        self,
        import_id: UUID,
        rows_before: int,
        writes: Sequence[PoiWrite],
        reports: Sequence[RowReport],
        now: datetime,
    ) -> ImportJob:
        """See ImportStore."""

        def verb(connection: Connection) -> ImportJob:
            job = _locked(connection, import_id)
            if job.rows_done != rows_before or job.is_over:
                return job
            if writes:
                write_all(connection, writes)
            if reports:
                connection.execute(insert(_rows), [report_row(import_id, report) for report in reports])
            outcomes = added(job.outcomes, tuple(reports))
            values = {
                "status": ImportStatus.RUNNING.value,
                "rows_done": rows_before + len(reports),
                "outcomes": outcomes_json(outcomes),
                "updated_at": now,
            }
            connection.execute(update(_jobs).where(_jobs.c.id == import_id).values(**values))
            return _locked(connection, import_id)

        return self._write(verb)

    def finish(self, import_id: UUID, problem: str | None, now: datetime) -> ImportJob:
        """See ImportStore."""

        def verb(connection: Connection) -> ImportJob:
            status = ImportStatus.DONE if problem is None else ImportStatus.FAILED
            values = {"status": status.value, "problem": problem and problem[:500], "updated_at": now}
            connection.execute(update(_jobs).where(_jobs.c.id == import_id).values(**values))
            connection.execute(delete(_chunks).where(_chunks.c.import_id == import_id))
            return _locked(connection, import_id)

        return self._write(verb)

    def reports(
        self, import_id: UUID, outcome: Outcome | None, limit: int, cursor: str | None
    ) -> Page[RowReport]:
        """See ImportStore."""
        statement = select(_rows).where(_rows.c.import_id == import_id)
        if outcome is not None:
            statement = statement.where(_rows.c.outcome == outcome.value)
        if cursor is not None:
            statement = statement.where(_rows.c.number > _number_in(cursor))
        statement = statement.order_by(_rows.c.number).limit(limit + 1)
        with self._database.read() as connection:
            found = [report_of(row) for row in connection.execute(statement)]
        return page_from(found, limit, lambda report: (report.number,))

    def forget_broken_off(self, before: datetime, limit: int) -> int:
        """See ImportStore."""

        def verb(connection: Connection) -> int:
            broken_off = and_(_jobs.c.status == ImportStatus.RECEIVING.value, _jobs.c.created_at < before)
            ids = connection.scalars(select(_jobs.c.id).where(broken_off).limit(limit)).all()
            _dropped(connection, ids)
            return len(ids)

        return self._write(verb)


def _locked(connection: Connection, import_id: UUID) -> ImportJob:
    row = connection.execute(select(_jobs).where(_jobs.c.id == import_id).with_for_update()).one_or_none()
    if row is None:
        raise Refused(Code.IMPORT_NOT_FOUND)
    return job_of(row)


def _dropped(connection: Connection, import_ids: Sequence[UUID]) -> None:
    for table, column in ((_chunks, _chunks.c.import_id), (_rows, _rows.c.import_id), (_jobs, _jobs.c.id)):
        connection.execute(delete(table).where(column.in_(import_ids)))


def _number_in(cursor: str) -> int:
    position = decode_cursor(cursor)
    if len(position) != 1 or type(position[0]) is not int or not 0 < position[0] < 2**31:
        raise coded("INVALID", "Not a cursor of this list.")
    return position[0]
