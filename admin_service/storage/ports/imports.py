"""Imports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from admin_service.domain.audit import AuditEvent
from admin_service.domain.imports import ImportJob, Outcome, RowReport
from admin_service.storage.ports.pois import PoiWrite
from common.pages import Page


class ImportStore(Protocol):
    """Jobs with their files and reports. The file is kept here until the job is over, so that any worker can
    read it.
    """

    def begin(self, job: ImportJob) -> None:
        """Note that a file comes in."""
        ...

    def add_chunk(self, import_id: UUID, position: int, content: bytes) -> None:
        """The next part of the file, counted from 0."""
        ...

    def received(self, import_id: UUID, bytes_total: int, now: datetime, event: AuditEvent) -> ImportJob:
        """The file is there whole: the outbox gets the task that works it off."""
        ...

    def drop(self, import_id: UUID) -> None:
        """Forget a job whose file never came whole."""
        ...

    def job(self, import_id: UUID) -> ImportJob | None: ...

    def jobs(self, account: str | None, limit: int, cursor: str | None) -> Page[ImportJob]:
        """Those of the account, or all; the newest first."""
        ...

    def chunks(self, import_id: UUID) -> Iterator[bytes]:
        """The file, a part at a time."""
        ...

    def write_rows(
        self,
        import_id: UUID,
        rows_before: int,
        writes: Sequence[PoiWrite],
        reports: Sequence[RowReport],
        now: datetime,
    ) -> ImportJob:
        """Write some rows and what became of them in one commit. When `rows_before` are not those that were
        done, somebody else has come further: nothing is written, and the job is answered as it is. Refuses as
        `PoiStore.replace`.
        """
        ...

    def finish(self, import_id: UUID, problem: str | None, now: datetime) -> ImportJob:
        """It is over; the file is forgotten, the report stays."""
        ...

    def reports(
        self, import_id: UUID, outcome: Outcome | None, limit: int, cursor: str | None
    ) -> Page[RowReport]:
        """What became of the rows, in their order."""
        ...

    def forget_broken_off(self, before: datetime, limit: int) -> int:
        """Drop what began to come in before that instant and is not there whole; says how many."""
        ...
