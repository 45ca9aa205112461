"""Points of interest that may be one place: what goes out."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from admin_service.domain.duplicates import Resemblance
from admin_service.domain.merging import Merge
from common.web.documents import Document
from common.web.schemas import ApiSchema, Instant, instant_text


class ResemblanceOut(ApiSchema):
    """Two POIs that may be one place. `score` and `nameLikeness` are 0 to 1."""

    poi_id = fields.UUID(required=True)
    duplicate_id = fields.UUID(required=True)
    score = fields.Float(required=True)
    name_likeness = fields.Float(required=True)
    metres = fields.Integer(required=True)


class ResemblanceList(ApiSchema):
    data = fields.List(fields.Nested(ResemblanceOut), required=True)


class MergeOut(ApiSchema):
    id = fields.UUID(required=True)
    survivor_id = fields.UUID(required=True)
    absorbed_id = fields.UUID(required=True)
    by = fields.String(required=True)
    at = Instant(required=True)
    undone_at = Instant(required=True, allow_none=True)


class MergeList(ApiSchema):
    data = fields.List(fields.Nested(MergeOut), required=True)


def resemblance_document(pair: Resemblance, first: Any = None) -> Document:
    """As `ResemblanceOut` says; `first` is the id of the one that was asked about."""
    one, other = (pair.one, pair.other) if first in (None, pair.one) else (pair.other, pair.one)
    return {
        "poiId": one,
        "duplicateId": other,
        "score": pair.score,
        "nameLikeness": pair.name,
        "metres": pair.metres,
    }


def merge_document(merge: Merge) -> Document:
    """As `MergeOut` says."""
    return {
        "id": merge.id,
        "survivorId": merge.survivor,
        "absorbedId": merge.absorbed,
        "by": merge.by,
        "at": instant_text(merge.at),
        "undoneAt": None if merge.undone_at is None else instant_text(merge.undone_at),
    }
