"""Points of interest: what goes out to those who curate them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from admin_service.actions.poi_bulk import ItemResult
from admin_service.domain.diffs import FieldChange, diff
from admin_service.domain.opening_hours import OpenState
from admin_service.domain.poi import Poi, PoiContent, completeness
from admin_service.domain.snapshots import snapshot_of
from admin_service.domain.workflow import HistoryEntry
from common.web.documents import Document
from common.web.schemas import ApiSchema, Instant, instant_text


class PointOut(ApiSchema):
    """RFC 7946."""

    type = fields.String(required=True)
    coordinates = fields.List(fields.Float(), required=True)


class AddressOut(ApiSchema):
    street = fields.String(required=True, allow_none=True)
    postal_code = fields.String(required=True, allow_none=True)
    city = fields.String(required=True)
    region = fields.String(required=True, allow_none=True)
    country = fields.String(required=True, allow_none=True)


class ContactOut(ApiSchema):
    phone = fields.String(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)
    website = fields.String(required=True, allow_none=True)


class PriceRangeOut(ApiSchema):
    """Amounts in minor units of `currency`."""

    level = fields.String(required=True)
    lowest = fields.Integer(required=True, allow_none=True)
    highest = fields.Integer(required=True, allow_none=True)
    currency = fields.String(required=True, allow_none=True)


def texts(**options: Any) -> fields.Dict:
    """Texts by language."""
    return fields.Dict(fields.String(), fields.String(), required=True, **options)


class AccessibilityOut(ApiSchema):
    wheelchair = fields.String(required=True)
    features = fields.List(fields.String(), required=True)
    notes = texts()


class ImageOut(ApiSchema):
    media_id = fields.UUID(required=True)
    alt = texts()
    source = fields.String(required=True)
    licence = fields.String(required=True)


class CompletenessOut(ApiSchema):
    """Percent of what can be said that is said, and pointers to what is missing."""

    percent = fields.Integer(required=True)
    missing = fields.List(fields.String(), required=True)


class VerificationOut(ApiSchema):
    by = fields.String(required=True)
    at = Instant(required=True)
    note = fields.String(required=True)


class FieldChangeOut(ApiSchema):
    """`pointer` (RFC 6901) names the field; null stands for nothing there."""

    pointer = fields.String(required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)


class ReviewOut(ApiSchema):
    """What waits for review, field by field: of a new POI all that there is, of a published one what would be
    other.
    """

    by = fields.String(required=True, allow_none=True)
    at = Instant(required=True)
    changes = fields.List(fields.Nested(FieldChangeOut), required=True)


class OpenOut(ApiSchema):
    """At the instant of the answer: open, closed or unknown; `comment` as in "by appointment"."""

    state = fields.String(required=True)
    comment = fields.String(required=True)
    next_change_at = Instant(required=True, allow_none=True)


class PoiOut(ApiSchema):
    """A POI as it is, with all languages; `review` is what a reviewer has to decide about."""

    id = fields.UUID(required=True)
    status = fields.String(required=True)
    version = fields.Integer(required=True)
    owner_id = fields.String(required=True, allow_none=True)
    name = texts()
    summary = texts()
    description = texts()
    category = fields.String(required=True)
    tags = fields.List(fields.String(), required=True)
    location = fields.Nested(PointOut, required=True)
    time_zone = fields.String(required=True)
    address = fields.Nested(AddressOut, required=True)
    contact = fields.Nested(ContactOut, required=True)
    opening_hours = fields.String(required=True, allow_none=True)
    accessibility = fields.Nested(AccessibilityOut, required=True)
    price_range = fields.Nested(PriceRangeOut, required=True, allow_none=True)
    images = fields.List(fields.Nested(ImageOut), required=True)
    external_id = fields.String(required=True, allow_none=True)
    completeness = fields.Dict(fields.String(), fields.Nested(CompletenessOut), required=True)
    verification = fields.Nested(VerificationOut, required=True, allow_none=True)
    review = fields.Nested(ReviewOut, required=True, allow_none=True)
    merged_into = fields.UUID(required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class BulkResultOut(ApiSchema):
    """`outcome` is done or refused; a refusal has the code and detail of a problem."""

    id = fields.UUID(required=True)
    outcome = fields.String(required=True)
    version = fields.Integer(required=True, allow_none=True)
    status = fields.String(required=True, allow_none=True)
    code = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)


class BulkOut(ApiSchema):
    """One result an item, in their order."""

    data = fields.List(fields.Nested(BulkResultOut), required=True)


class HistoryOut(ApiSchema):
    """One version: what was done, by whom, and what it changed since the version before."""

    version = fields.Integer(required=True)
    at = Instant(required=True)
    actor = fields.String(required=True)
    action = fields.String(required=True)
    reason = fields.String(required=True)
    status = fields.String(required=True)
    content = fields.Dict(required=True)


def poi_document(poi: Poi) -> Document:
    """As `PoiOut` says."""
    return {
        "id": poi.id,
        "status": poi.status.value,
        "version": poi.version,
        "ownerId": poi.owner,
        **snapshot_of(poi.content),
        "completeness": completeness_document(poi.content),
        "verification": None
        if poi.verification is None
        else {
            "by": poi.verification.by,
            "at": instant_text(poi.verification.at),
            "note": poi.verification.note,
        },
        "review": _review(poi),
        "mergedInto": poi.merged_into,
        "createdAt": instant_text(poi.created_at),
        "updatedAt": instant_text(poi.updated_at),
    }


def completeness_document(content: PoiContent) -> Document:
    """By language."""
    return {
        language: {"percent": each.percent, "missing": each.missing}
        for language, each in completeness(content).items()
    }


def open_document(state: OpenState) -> Document:
    """As `OpenOut` says."""
    change = state.next_change
    return {
        "state": state.state,
        "comment": state.comment,
        "nextChangeAt": None if change is None else instant_text(change),
    }


def bulk_document(results: tuple[ItemResult, ...]) -> Document:
    """As `BulkOut` says."""
    return {"data": [_bulk_result(result) for result in results]}


def history_document(entry: HistoryEntry) -> Document:
    """As `HistoryOut` says."""
    return {
        "version": entry.version,
        "at": instant_text(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "reason": entry.reason,
        "status": entry.status.value,
        "content": dict(entry.snapshot),
    }


def _review(poi: Poi) -> Document | None:
    present = snapshot_of(poi.content)
    if poi.proposal is not None:
        changes = diff(present, {**present, **poi.proposal.changes})
        by, at = poi.proposal.by, poi.proposal.at
        return {"by": by, "at": instant_text(at), "changes": [_change(each) for each in changes]}
    if poi.status.value != "in_review":
        return None
    changes = diff(None, present)
    return {"by": None, "at": instant_text(poi.updated_at), "changes": [_change(each) for each in changes]}


def _change(change: FieldChange) -> Document:
    return {"pointer": change.pointer, "before": change.before, "after": change.after}


def _bulk_result(result: ItemResult) -> Document:
    refusal = result.refusal
    return {
        "id": result.poi_id,
        "outcome": "done" if refusal is None else "refused",
        "version": None if result.poi is None else result.poi.version,
        "status": None if result.poi is None else result.poi.status.value,
        "code": None if refusal is None else refusal.code.name,
        "detail": None if refusal is None else refusal.detail or refusal.code.title,
    }
