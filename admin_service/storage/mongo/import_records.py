"""Imports as documents, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from admin_service.domain.imports import Fault, ImportJob, ImportStatus, Outcome, RowReport
from admin_service.domain.workflow import Actor
from common.mongo.values import instant, ms


def job_document(job: ImportJob) -> dict[str, Any]:
    return {
        "_id": job.id,
        "status": job.status.value,
        "format": job.format,
        "dry_run": job.dry_run,
        "account": job.actor.account,
        "actor": _actor_document(job.actor),
        "name": job.name,
        "bytes_total": job.bytes_total,
        "chunks": 0,
        "rows_done": job.rows_done,
        "outcomes": outcomes_document(job.outcomes),
        "problem": job.problem,
        "created_at": ms(job.created_at),
        "updated_at": ms(job.updated_at),
    }


def job_of(found: Mapping[str, Any]) -> ImportJob:
    return ImportJob(
        id=found["_id"],
        status=ImportStatus(found["status"]),
        format=found["format"],
        dry_run=found["dry_run"],
        actor=_actor(found["actor"]),
        name=found["name"],
        bytes_total=found["bytes_total"],
        rows_done=found["rows_done"],
        outcomes={Outcome(name): count for name, count in found["outcomes"].items()},
        problem=found["problem"],
        created_at=instant(found["created_at"]),
        updated_at=instant(found["updated_at"]),
    )


def _actor_document(actor: Actor) -> dict[str, Any]:
    return {
        "name": actor.name,
        "account": actor.account,
        "reviewed": actor.reviewed,
        "places": sorted(actor.places),
    }


def _actor(found: Mapping[str, Any]) -> Actor:
    return Actor(
        name=found["name"],
        account=found["account"],
        reviewed=found["reviewed"],
        places=frozenset(found["places"]),
    )


def outcomes_document(outcomes: Mapping[Outcome, int]) -> dict[str, int]:
    return {outcome.value: count for outcome, count in outcomes.items()}


def report_document(import_id: UUID, report: RowReport) -> dict[str, Any]:
    return {
        "import_id": import_id,
        "number": report.number,
        "outcome": report.outcome.value,
        "external_id": report.external_id,
        "poi_id": report.poi_id,
        "faults": [
            {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail} for fault in report.faults
        ],
    }


def report_of(found: Mapping[str, Any]) -> RowReport:
    return RowReport(
        number=found["number"],
        outcome=Outcome(found["outcome"]),
        external_id=found["external_id"],
        poi_id=found["poi_id"],
        faults=tuple(Fault(**fault) for fault in found["faults"]),
    )
