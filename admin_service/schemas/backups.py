"""Backups and drills: what goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from admin_service.actions.backups import Backups
from common.web.documents import Document
from common.web.schemas import ApiSchema, Instant


class OutcomeOut(ApiSchema):
    """What came of making a backup; `fault` is empty for a good one."""

    ok = fields.Boolean(required=True)
    at = Instant(required=True)
    started_at = Instant(required=True)
    seconds = fields.Float(required=True, allow_none=True)
    snapshot = fields.String(required=True)
    rows = fields.Integer(required=True)
    files = fields.Integer(required=True)
    bytes = fields.Integer(required=True)
    versions = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    fault = fields.String(required=True)


class StepOut(ApiSchema):
    name = fields.String(required=True)
    ok = fields.Boolean(required=True)
    seconds = fields.Float(required=True)
    result = fields.String(required=True)


class DrillOut(ApiSchema):
    """The report of a drill: `snapshot` of `backupAt` was restored into a scratch place and used there."""

    ok = fields.Boolean(required=True)
    at = Instant(required=True)
    started_at = Instant(required=True)
    snapshot = fields.String(required=True)
    backup_at = Instant(required=True, allow_none=True)
    rows = fields.Integer(required=True)
    steps = fields.List(fields.Nested(StepOut), required=True)
    fault = fields.String(required=True)


class BackupsOut(ApiSchema):
    """`underWay`: take, drill or status. `last`, `lastGood`: null before there was one."""

    configured = fields.Boolean(required=True)
    repository = fields.String(required=True)
    hour = fields.Integer(required=True)
    age_seconds = fields.Float(required=True, allow_none=True)
    under_way = fields.String(required=True, allow_none=True)
    last = fields.Nested(OutcomeOut, required=True, allow_none=True)
    last_good = fields.Nested(OutcomeOut, required=True, allow_none=True)
    drill = fields.Nested(DrillOut, required=True, allow_none=True)
    last_good_drill_at = Instant(required=True, allow_none=True)


def backups_document(found: Backups) -> Document:
    """As `BackupsOut` says."""
    state = found.state
    return {
        "configured": found.configured,
        "repository": found.repository,
        "hour": found.hour,
        "ageSeconds": found.age_seconds,
        "underWay": state.get("underWay"),
        "last": _outcome(state.get("last")),
        "lastGood": _outcome(state.get("good")),
        "drill": _drill(state.get("drill")),
        "lastGoodDrillAt": (state.get("goodDrill") or {}).get("at"),
    }


def _outcome(noted: Mapping[str, Any] | None) -> Document | None:
    if not noted:
        return None
    return {
        "ok": noted["ok"],
        "at": noted["at"],
        "startedAt": noted.get("startedAt", noted["at"]),
        "seconds": noted.get("seconds"),
        "snapshot": noted.get("snapshot", ""),
        **{name: noted.get(name, 0) for name in ("rows", "files", "bytes")},
        "versions": noted.get("versions", {}),
        "fault": noted.get("fault", ""),
    }


def _drill(noted: Mapping[str, Any] | None) -> Document | None:
    if not noted:
        return None
    return {
        "ok": noted["ok"],
        "at": noted["at"],
        "startedAt": noted.get("startedAt", noted["at"]),
        "snapshot": noted.get("snapshot", ""),
        "backupAt": noted.get("backupAt") or None,
        "rows": noted.get("rows", 0),
        "steps": noted.get("steps", []),
        "fault": noted.get("fault", ""),
    }
