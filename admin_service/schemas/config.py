"""The platform's configuration: what comes in and what goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from admin_service.actions.config import Told
from admin_service.domain.configuration import DEFAULTS, KEYS, KeyUnknown, Revision, checked_value, nested
from admin_service.domain.modes import SystemMode
from admin_service.domain.value_kinds import ValueRefused
from admin_service.schemas.values import no_markup
from common.web.documents import Document
from common.web.field_errors import coded
from common.web.schemas import ApiSchema, Instant, WholeNumber, YesNo, instant_text
from common.web.values import Paged

MAX_REASON, MAX_REVISION = 500, 2**31 - 1


class ConfigValues(fields.Field[dict[str, Any]]):
    """Values by key, each of the key's own type; null is its default."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("WRONG_TYPE: Not an object of values by key.")
        if not value:
            raise coded("TOO_SHORT", "At least one key.")
        found, errors = {}, {}
        for name, given in value.items():
            try:
                found[name] = None if given is None and name in KEYS else checked_value(name, given)
            except KeyUnknown:
                errors[name] = ["UNKNOWN_FIELD: There is no such key."]
            except ValueRefused as refused:
                errors[name] = _nested_error(refused)
        if errors:
            raise ValidationError(errors)
        return found


class ConfigPatch(ApiSchema):
    """What is named changes, all of it or nothing."""

    values = ConfigValues(required=True)
    reason = fields.String(load_default="", validate=[validate.Length(max=MAX_REASON), no_markup])


class RollbackIn(ApiSchema):
    """`revision`: the number of the one to have again; 0 puts everything back to its default."""

    revision = WholeNumber(required=True, validate=validate.Range(0, MAX_REVISION))
    reason = fields.String(load_default="", validate=[validate.Length(max=MAX_REASON), no_markup])


class KeyOut(ApiSchema):
    """`limits`: what its type asks for, such as `minimum`, `maxLength`, `options`."""

    key = fields.String(required=True)
    type = fields.String(required=True)
    value = fields.Raw(required=True, allow_none=True)
    default = fields.Raw(required=True, allow_none=True)
    is_default = YesNo(required=True)
    public = YesNo(required=True)
    unit = fields.String(required=True)
    description = fields.String(required=True)
    limits = fields.Dict(fields.String(), fields.Raw(), required=True)


class ConfigOut(ApiSchema):
    """`revision` counts the changes; 0 before the first."""

    revision = fields.Integer(required=True)
    changed_at = Instant(required=True, allow_none=True)
    changed_by = fields.String(required=True)
    values = fields.List(fields.Nested(KeyOut), required=True)


class DifferenceOut(ApiSchema):
    key = fields.String(required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)


class RevisionOut(ApiSchema):
    revision = fields.Integer(required=True)
    changed_at = Instant(required=True)
    changed_by = fields.String(required=True)
    reason = fields.String(required=True)
    changes = fields.List(fields.Nested(DifferenceOut), required=True)


class PublicConfigOut(ApiSchema):
    """By group, such as `brand` and `sales`."""

    sales = fields.Dict(fields.String(), fields.Raw(), required=True)
    brand = fields.Dict(fields.String(), fields.Raw(), required=True)
    languages = fields.Dict(fields.String(), fields.Raw(), required=True)


class FollowedOut(ApiSchema):
    """What ticketing follows: the value of every key, and the mode."""

    revision = fields.Integer(required=True)
    values = fields.Dict(fields.String(), fields.Raw(), required=True)
    mode = fields.String(required=True)


class HistoryFilter(Paged):
    """The query of the history."""


def config_document(revision: Revision) -> Document:
    """As `ConfigOut` says."""
    effective = revision.effective
    return {
        "revision": revision.number,
        "changedAt": None if revision.changed_at is None else instant_text(revision.changed_at),
        "changedBy": revision.changed_by,
        "values": [_key_document(name, effective[name]) for name in KEYS],
    }


def told_document(told: Told) -> Document:
    """As `RevisionOut` says."""
    revision = told.revision
    return {
        "revision": revision.number,
        "changedAt": None if revision.changed_at is None else instant_text(revision.changed_at),
        "changedBy": revision.changed_by,
        "reason": revision.reason,
        "changes": [
            {"key": each.key, "before": each.before, "after": each.after} for each in told.differences
        ],
    }


def public_document(revision: Revision) -> Document:
    """As `PublicConfigOut` says."""
    return nested(revision.effective, public=True)


def followed_document(revision: Revision, mode: SystemMode) -> Document:
    """As `FollowedOut` says."""
    return {"revision": revision.number, "values": dict(revision.effective), "mode": mode.mode.value}


def _key_document(name: str, value: Any) -> Document:
    key = KEYS[name]
    return {
        "key": name,
        "type": key.kind.name,
        "value": value,
        "default": key.default,
        "isDefault": value == DEFAULTS[name],
        "public": key.public,
        "unit": key.unit,
        "description": key.description,
        "limits": dict(key.kind.limits()),
    }


def _nested_error(refused: ValueRefused) -> Any:
    """The message at its place in the value, as marshmallow would have it."""
    message: Any = [f"{refused.code}: {refused.detail}"]
    for step in reversed(refused.step.split("/")[1:]):
        name = step.replace("~1", "/").replace("~0", "~")
        message = {int(name) if name.isdigit() else name: message}
    return message
