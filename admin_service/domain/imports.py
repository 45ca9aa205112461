"""Imports: a file of POIs as a job, how far it is, and what became of each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from admin_service.domain.workflow import Actor

MAX_BYTES = 256 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
MOST_ROWS = 1_000_000


class ImportStatus(StrEnum):
    """RECEIVING ends when the file is there whole; FAILED says why in `problem`, and what was done until then
    stays.
    """

    RECEIVING = "receiving"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Outcome(StrEnum):
    """What became of a row; PROPOSED waits for review."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    PROPOSED = "proposed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row was refused: as a request would be told."""

    pointer: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReport:
    """`number` counts the rows from 1, a header not among them."""

    number: int
    outcome: Outcome
    external_id: str | None = None
    poi_id: UUID | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """`actor` is who imports; `outcomes` counts the rows so far. A `dry_run` changes nothing but its
    report.
    """

    id: UUID
    status: ImportStatus
    format: str
    dry_run: bool
    actor: Actor
    name: str
    bytes_total: int
    rows_done: int
    created_at: datetime
    updated_at: datetime
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    problem: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status in (ImportStatus.DONE, ImportStatus.FAILED)


def added(outcomes: Mapping[Outcome, int], reports: tuple[RowReport, ...]) -> dict[Outcome, int]:
    """The counts with those of some more rows."""
    counts = dict(outcomes)
    for report in reports:
        counts[report.outcome] = counts.get(report.outcome, 0) + 1
    return counts
