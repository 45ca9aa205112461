"""The system as a whole: what comes in and what goes out."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from admin_service.actions.system import Service, Work
from admin_service.domain.modes import Mode, SystemMode
from admin_service.schemas.values import no_markup
from common.outbox.port import DeadTask
from common.web.documents import Document
from common.web.schemas import ApiSchema, Instant, instant_text

MAX_REASON = 500


class SystemModeIn(ApiSchema):
    """`maintenance`: public writes are refused. `read_only`: every write is."""

    mode = fields.String(required=True, validate=validate.OneOf([mode.value for mode in Mode]))
    reason = fields.String(required=True, validate=[validate.Length(1, MAX_REASON), no_markup])

    @post_load
    def made(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**values, "mode": Mode(values["mode"])}


class SystemModeOut(ApiSchema):
    mode = fields.String(required=True)
    reason = fields.String(required=True)
    changed_at = Instant(required=True, allow_none=True)
    changed_by = fields.String(required=True)
    version = fields.Integer(required=True)


class ServiceOut(ApiSchema):
    name = fields.String(required=True)
    status = fields.String(required=True)
    version = fields.String(required=True)
    response_ms = fields.Float(required=True, allow_none=True)


class ServicesOut(ApiSchema):
    data = fields.List(fields.Nested(ServiceOut), required=True)


class KindOut(ApiSchema):
    kind = fields.String(required=True)
    waiting = fields.Integer(required=True)
    given_up = fields.Integer(required=True)


class WorkOut(ApiSchema):
    """What the worker has to do; `givenUp` jobs are listed beside it."""

    heartbeat_at = Instant(required=True, allow_none=True)
    waiting = fields.Integer(required=True)
    oldest_seconds = fields.Float(required=True)
    kinds = fields.List(fields.Nested(KindOut), required=True)


class GivenUpOut(ApiSchema):
    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    attempts = fields.Integer(required=True)
    error = fields.String(required=True)
    created_at = Instant(required=True)


def mode_document(mode: SystemMode) -> Document:
    """As `SystemModeOut` says."""
    return {
        "mode": mode.mode.value,
        "reason": mode.reason,
        "changedAt": None if mode.changed_at is None else instant_text(mode.changed_at),
        "changedBy": mode.changed_by,
        "version": mode.version,
    }


def services_document(services: tuple[Service, ...]) -> Document:
    """As `ServicesOut` says."""
    rows = [
        {
            "name": each.name,
            "status": each.status,
            "version": each.version,
            "responseMs": each.response_ms,
        }
        for each in services
    ]
    return {"data": rows}


def work_document(work: Work) -> Document:
    """As `WorkOut` says."""
    return {
        "heartbeatAt": None if work.heartbeat_at is None else instant_text(work.heartbeat_at),
        "waiting": work.waiting,
        "oldestSeconds": work.oldest_seconds,
        "kinds": [
            {"kind": each.kind, "waiting": each.waiting, "givenUp": each.given_up} for each in work.kinds
        ],
    }


def given_up_document(task: DeadTask) -> Document:
    """As `GivenUpOut` says."""
    return {
        "id": task.id,
        "kind": task.kind,
        "attempts": task.attempts,
        "error": task.error,
        "createdAt": instant_text(task.created_at),
    }
