"""Imports: a file comes in, and a job works it off row by row, as if each were a request.

The job can end at any moment and be taken up again: each commit says how many rows are done. The external id
says which POI a row is about, so that the same file twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from admin_service.actions.poi_drafts import changed_content, new_content
from admin_service.actions.pois import By, write_of
from admin_service.actions.ports import Ports
from admin_service.domain import workflow
from admin_service.domain.audit import AuditEvent, Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.import_rows import Row, Unreadable, rows_of
from admin_service.domain.imports import (
    CHUNK_BYTES,
    MOST_ROWS,
    Fault,
    ImportJob,
    ImportStatus,
    Outcome,
    RowReport,
)
from admin_service.domain.poi import Poi
from admin_service.storage.ports.pois import PoiWrite
from common.database import StoreUnavailable
from common.identifiers import uuid7
from common.outbox.port import Later, Permanent
from common.pages import Page

BATCH = 100
"""Rows of one commit: others wait for their turn to write for as long as it takes."""

BATCHES_A_TURN, LONGEST_TURN = 60, timedelta(seconds=10)
"""Then the task is put back and claimed again, well before its lease could end."""

ANOTHER_S_TURN = 30
"""Seconds after which somebody else who works on the job must have put it back, or is no more."""

ATTEMPTS = 5
EXTERNAL_ID_LENGTH = 100
LONGEST_UPLOAD = timedelta(hours=1)
SWEEP = 20

ReadRow = Callable[[Mapping[str, Any], bool], Mapping[str, Any]]
"""Members of `PoiContent` from a row's document, all of them or (True) those that it names. Raises
RowRefused.
"""


class RowRefused(Exception):
    """The row breaks the rules that hold for a request."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginImport:
    by: By
    format: str
    dry_run: bool
    name: str


def begin_import(command: BeginImport, content: Iterable[bytes], ports: Ports) -> ImportJob:
    """Take in the file; what `content` raises, such as that the sender is gone, leaves nothing behind."""
    now = ports.clock()
    job = ImportJob(
        id=uuid7(),
        status=ImportStatus.RECEIVING,
        format=command.format,
        dry_run=command.dry_run,
        actor=command.by.actor,
        name=command.name,
        bytes_total=0,
        rows_done=0,
        created_at=now,
        updated_at=now,
    )
    ports.store.imports.begin(job)
    try:
        total = 0
        for position, chunk in enumerate(_of_one_size(content)):
            ports.store.imports.add_chunk(job.id, position, chunk)
            total += len(chunk)
    except BaseException:
        ports.store.imports.drop(job.id)
        raise
    event = AuditEvent(
        at=now,
        origin=command.by.origin,
        action="pois.import",
        subject=str(job.id),
        after={"name": job.name, "format": job.format, "dryRun": job.dry_run, "bytes": total},
    )
    return ports.store.imports.received(job.id, total, now, event)


def find_import(import_id: UUID, by: By, ports: Ports) -> ImportJob:
    """Raises IMPORT_NOT_FOUND, also for another account's."""
    job = ports.store.imports.job(import_id)
    if job is None or not (by.sees_all or job.actor.account == by.actor.account):
        raise Refused(Code.IMPORT_NOT_FOUND)
    return job


def list_imports(by: By, limit: int, cursor: str | None, ports: Ports) -> Page[ImportJob]:
    return ports.store.imports.jobs(None if by.sees_all else by.actor.account, limit, cursor)


def reports_of(
    import_id: UUID, by: By, outcome: Outcome | None, limit: int, cursor: str | None, ports: Ports
) -> Page[RowReport]:
    """Raises IMPORT_NOT_FOUND."""
    find_import(import_id, by, ports)
    return ports.store.imports.reports(import_id, outcome, limit, cursor)


def work_off(import_id: UUID, read: ReadRow, ports: Ports) -> None:
    """Carry on with the job; the worker calls this until it is over. Raises Later when there is more."""
    job = ports.store.imports.job(import_id)
    if job is None or job.is_over:
        return
    rows, begun = rows_of(job.format, ports.store.imports.chunks(import_id)), ports.clock()
    try:
        rows = islice(rows, job.rows_done, None)
        for turn, batch in enumerate(_batches(rows)):
            if turn == BATCHES_A_TURN or (turn and ports.clock() - begun >= LONGEST_TURN):
                raise Later("there are more rows", 0)
            if job.rows_done >= MOST_ROWS:
                raise Unreadable(f"A file may have {MOST_ROWS} rows.")
            before = job.rows_done
            job = _write(job, batch, read, ports)
            if job.rows_done != before + len(batch):
                # to return would be to say that the task is done
                raise Later("somebody else works on it", ANOTHER_S_TURN)
        ports.store.imports.finish(import_id, None, ports.clock())
    except Unreadable as error:
        ports.store.imports.finish(import_id, str(error), ports.clock())
    except (Later, StoreUnavailable):
        raise
    except Exception as error:
        # trying again would come to the same row: the job says that it is over, and the log says why
        ports.store.imports.finish(import_id, f"It broke after row {job.rows_done}.", ports.clock())
        raise Permanent(f"the import broke: {type(error).__name__}") from error


def forget_broken_off(ports: Ports) -> None:
    """Forget files that never came whole: their sender is gone by now."""
    while ports.store.imports.forget_broken_off(ports.clock() - LONGEST_UPLOAD, SWEEP) == SWEEP:
        pass


def _write(job: ImportJob, batch: Sequence[Row], read: ReadRow, ports: Ports) -> ImportJob:
    """One batch. Who comes between reading and writing makes it be read again."""
    for attempt in range(1, ATTEMPTS + 1):
        decided = _decided(job, batch, read, ports)
        writes = [] if job.dry_run else [write for write, _ in decided if write is not None]
        reports = [report for _, report in decided]
        try:
            return ports.store.imports.write_rows(job.id, job.rows_done, writes, reports, ports.clock())
        except Refused:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


_Decided = tuple[PoiWrite | None, RowReport]


def _decided(job: ImportJob, batch: Sequence[Row], read: ReadRow, ports: Ports) -> list[_Decided]:
    ids = {external_id for row in batch if (external_id := _external_id(row)) is not None}
    there = ports.store.pois.by_external_ids(ids) if ids else {}
    by = By(actor=job.actor, origin=Origin(actor=job.actor.name), sees_all=not job.actor.reviewed)
    return [_row(row, there, by, read, ports) for row in batch]


def _row(row: Row, there: Mapping[str, Poi], by: By, read: ReadRow, ports: Ports) -> _Decided:
    external_id = _external_id(row)
    before = None if external_id is None else there.get(external_id)
    faults: tuple[Fault, ...]
    try:
        if external_id is None:
            raise RowRefused([Fault("/externalId", "REQUIRED", "It says which POI the row is about.")])
        if before is not None and by.actor.reviewed and not by.actor.owns(before):
            raise Refused(Code.EXTERNAL_ID_TAKEN, pointer="/externalId")
        write, outcome = _outcome(row, before, by, read, ports)
        poi_id = _poi_id(before, write)
        return write, RowReport(number=row.number, outcome=outcome, external_id=external_id, poi_id=poi_id)
    except RowRefused as refused:
        faults = refused.faults
    except Refused as error:
        faults = (Fault(error.pointer or "", error.code.name, error.detail or error.code.title),)
    known_by = None if external_id is None else external_id[:EXTERNAL_ID_LENGTH]
    return None, RowReport(number=row.number, outcome=Outcome.REFUSED, external_id=known_by, faults=faults)


def _poi_id(before: Poi | None, write: PoiWrite | None) -> UUID | None:
    if before is not None:
        return before.id
    return None if write is None else write.poi.id


def _outcome(
    row: Row, before: Poi | None, by: By, read: ReadRow, ports: Ports
) -> tuple[PoiWrite | None, Outcome]:
    now = ports.clock()
    document = {**row.document, "externalId": _external_id(row)}
    if before is None:
        poi = workflow.created(uuid7(), new_content(read(document, False), ports), by.actor, now)
        return _written(None, poi, "created", by), Outcome.CREATED
    start = workflow.seen_by_editor(before, by.actor)
    content = changed_content(start, read(document, True), ports)
    after = workflow.edited(before, content, by.actor, now)
    if after == before:
        return None, Outcome.UNCHANGED
    action = workflow.action_of(before, after)
    outcome = Outcome.UPDATED if action == "changed" else Outcome.PROPOSED
    return _written(before, after, action, by), outcome


def _written(before: Poi | None, after: Poi, action: str, by: By) -> PoiWrite:
    """The import as a whole has an event of its own; a hundred thousand more would bury the others."""
    write = write_of(before, after, action, by, "import")
    return PoiWrite(before=write.before, poi=write.poi, entry=write.entry, event=None)


def _external_id(row: Row) -> str | None:
    value = row.document.get("externalId")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """At most `BATCH` rows, none of which is about the same POI as another one."""
    batch: list[Row] = []
    ids: set[str] = set()
    for row in rows:
        external_id = _external_id(row)
        if len(batch) == BATCH or external_id in ids:
            yield batch
            batch, ids = [], set()
        batch.append(row)
        if external_id is not None:
            ids.add(external_id)
    if batch:
        yield batch


def _of_one_size(content: Iterable[bytes]) -> Iterator[bytes]:
    rest = bytearray()
    for part in content:
        rest += part
        while len(rest) >= CHUNK_BYTES:
            yield bytes(rest[:CHUNK_BYTES])
            del rest[:CHUNK_BYTES]
    if rest:
        yield bytes(rest)
