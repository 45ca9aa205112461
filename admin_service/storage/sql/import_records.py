"""Imports as rows, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from admin_service.domain.imports import Fault, ImportJob, ImportStatus, Outcome, RowReport
from admin_service.domain.workflow import Actor


def job_row(job: ImportJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "status": job.status.value,
        "format": job.format,
        "dry_run": job.dry_run,
        "account": job.actor.account,
        "actor": _actor_json(job.actor),
        "name": job.name,
        "bytes_total": job.bytes_total,
        "rows_done": job.rows_done,
        "outcomes": outcomes_json(job.outcomes),
        "problem": job.problem,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    }


def job_of(row: Row[Any]) -> ImportJob:
    return ImportJob(
        id=row.id,
        status=ImportStatus(row.status),
        format=row.format,
        dry_run=row.dry_run,
        actor=_actor(row.actor),
        name=row.name,
        bytes_total=row.bytes_total,
        rows_done=row.rows_done,
        outcomes={Outcome(name): count for name, count in row.outcomes.items()},
        problem=row.problem,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _actor_json(actor: Actor) -> dict[str, Any]:
    return {
        "name": actor.name,
        "account": actor.account,
        "reviewed": actor.reviewed,
        "places": sorted(map(str, actor.places)),
    }


def _actor(data: Mapping[str, Any]) -> Actor:
    return Actor(
        name=data["name"],
        account=data["account"],
        reviewed=data["reviewed"],
        places=frozenset(map(UUID, data["places"])),
    )


def outcomes_json(outcomes: Mapping[Outcome, int]) -> dict[str, int]:
    return {outcome.value: count for outcome, count in outcomes.items()}


def report_row(import_id: UUID, report: RowReport) -> dict[str, Any]:
    return {
        "import_id": import_id,
        "number": report.number,
        "outcome": report.outcome.value,
        "external_id": report.external_id,
        "poi_id": report.poi_id,
        "faults": [[fault.pointer, fault.code, fault.detail] for fault in report.faults],
    }


def report_of(row: Row[Any]) -> RowReport:
    return RowReport(
        number=row.number,
        outcome=Outcome(row.outcome),
        external_id=row.external_id,
        poi_id=row.poi_id,
        faults=tuple(Fault(*fault) for fault in row.faults),
    )
