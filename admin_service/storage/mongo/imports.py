"""Imports: jobs, their files and their reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from admin_service.domain.audit import AuditEvent
from admin_service.domain.errors import Code, Refused
from admin_service.domain.imports import ImportJob, ImportStatus, Outcome, RowReport, added
from admin_service.storage.mongo import audit
from admin_service.storage.mongo import poi_collections as collections
from admin_service.storage.mongo.import_records import (
    job_document,
    job_of,
    outcomes_document,
    report_document,
    report_of,
)
from admin_service.storage.mongo.outbox import add_task
from admin_service.storage.mongo.poi_writing import write_all
from admin_service.storage.ports.pois import PoiWrite
from common.database.cursors import id_cursor, page_from
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import ms
from common.mongo.writing import Write
from common.pages import Page
from common.web.field_errors import coded
from common.web.paging import decode_cursor

IMPORT_TASK = "poi-import"

_jobs, _chunks, _rows = collections.imports, collections.import_chunks, collections.import_rows


class MongoImports:
    """The `ImportStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, write: Write) -> None:
        self._database, self._write = database, write

    def begin(self, job: ImportJob) -> None:
        """See ImportStore."""
        self._write(lambda tx: tx.insert(_jobs, [job_document(job)]))

    def add_chunk(self, import_id: UUID, position: int, content: bytes) -> None:
        """See ImportStore."""

        def verb(tx: Transaction) -> None:
            # counted in the job, so that no part comes to one that is just being dropped
            _changed(tx, import_id, {"$inc": {"chunks": 1}})
            tx.insert(_chunks, [{"import_id": import_id, "position": position, "content": content}])

        self._write(verb)

    def received(self, import_id: UUID, bytes_total: int, now: datetime, event: AuditEvent) -> ImportJob:
        """See ImportStore."""

        def verb(tx: Transaction) -> ImportJob:
            audit.append(tx, event)
            values = {"status": ImportStatus.WAITING.value, "bytes_total": bytes_total, "updated_at": ms(now)}
            job = _changed(tx, import_id, {"$set": values})
            add_task(tx, IMPORT_TASK, {"importId": str(import_id)}, now)
            return job

        return self._write(verb)

    def drop(self, import_id: UUID) -> None:
        """See ImportStore."""
        self._write(lambda tx: _dropped(tx, [import_id]))

    def job(self, import_id: UUID) -> ImportJob | None:
        """See ImportStore."""
        with self._database.read() as tx:
            found = tx.one(_jobs, {"_id": import_id})
        return None if found is None else job_of(found)

    def jobs(self, account: str | None, limit: int, cursor: str | None) -> Page[ImportJob]:
        """See ImportStore."""
        wanted: dict[str, Any] = {}
        if account is not None:
            wanted["account"] = account
        if cursor is not None:
            wanted["_id"] = {"$lt": id_cursor(cursor)}
        with self._database.read() as tx:
            found = [job_of(each) for each in tx.find(_jobs, wanted, sort=[("_id", -1)], limit=limit + 1)]
        return page_from(found, limit, lambda job: (str(job.id),))

    def chunks(self, import_id: UUID) -> Iterator[bytes]:
        """See ImportStore. Each part is read by itself: a reader that takes its time holds no connection."""
        position = 0
        while True:
            with self._database.read() as tx:
                found = tx.one(_chunks, {"import_id": import_id, "position": position}, ["content"])
            if found is None:
                return
            yield bytes(found["content"])
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

        def verb(tx: Transaction) -> ImportJob:
            job = _known(tx, import_id)
            if job.rows_done != rows_before or job.is_over:
                return job
            values = {
                "status": ImportStatus.RUNNING.value,
                "rows_done": rows_before + len(reports),
                "outcomes": outcomes_document(added(job.outcomes, tuple(reports))),
                "updated_at": ms(now),
            }
            job = _changed(tx, import_id, {"$set": values})
            if writes:
                write_all(tx, writes)
            tx.insert(_rows, [report_document(import_id, report) for report in reports])
            return job

        return self._write(verb)

    def finish(self, import_id: UUID, problem: str | None, now: datetime) -> ImportJob:
        """See ImportStore."""

        def verb(tx: Transaction) -> ImportJob:
            status = ImportStatus.DONE if problem is None else ImportStatus.FAILED
            values = {"status": status.value, "problem": problem and problem[:500], "updated_at": ms(now)}
            job = _changed(tx, import_id, {"$set": values})
            tx.delete(_chunks, {"import_id": import_id})
            return job

        return self._write(verb)

    def reports(
        self, import_id: UUID, outcome: Outcome | None, limit: int, cursor: str | None
    ) -> Page[RowReport]:
        """See ImportStore."""
        wanted: dict[str, Any] = {"import_id": import_id}
        if outcome is not None:
            wanted["outcome"] = outcome.value
        if cursor is not None:
            wanted["number"] = {"$gt": _number_in(cursor)}
        with self._database.read() as tx:
            rows = tx.find(_rows, wanted, sort=[("number", 1)], limit=limit + 1)
        return page_from([report_of(each) for each in rows], limit, lambda report: (report.number,))

    def forget_broken_off(self, before: datetime, limit: int) -> int:
        """See ImportStore."""
        broken_off = {"status": ImportStatus.RECEIVING.value, "created_at": {"$lt": ms(before)}}

        def verb(tx: Transaction) -> int:
            ids = [each["_id"] for each in tx.find(_jobs, broken_off, limit=limit, fields=["_id"])]
            _dropped(tx, ids)
            return len(ids)

        return self._write(verb)


def _known(tx: Transaction, import_id: UUID) -> ImportJob:
    found = tx.one(_jobs, {"_id": import_id})
    if found is None:
        raise Refused(Code.IMPORT_NOT_FOUND)
    return job_of(found)


def _changed(tx: Transaction, import_id: UUID, change: dict[str, Any]) -> ImportJob:
    """The job with the change; whoever changes it beside us is run again. Refuses IMPORT_NOT_FOUND."""
    tx.update(_jobs, {"_id": import_id}, change)
    return _known(tx, import_id)


def _dropped(tx: Transaction, import_ids: Sequence[UUID]) -> None:
    these = {"$in": list(import_ids)}
    for collection, field in ((_chunks, "import_id"), (_rows, "import_id"), (_jobs, "_id")):
        tx.delete(collection, {field: these})


def _number_in(cursor: str) -> int:
    position = decode_cursor(cursor)
    if len(position) != 1 or type(position[0]) is not int or not 0 < position[0] < 2**31:
        raise coded("INVALID", "Not a cursor of this list.")
    return position[0]
