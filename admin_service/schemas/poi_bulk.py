"""Many POIs at once: what comes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate, validates_schema

from admin_service.actions.poi_bulk import BulkAction, BulkItem, BulkPois
from admin_service.actions.pois import By
from admin_service.schemas.poi_fields import PlainText
from admin_service.schemas.pois import PoiPatch
from common.web.field_errors import coded
from common.web.schemas import ApiSchema, WholeNumber

MOST_ITEMS = 100


class BulkItemIn(ApiSchema):
    """`version`: what the POI must still be; without it, whatever it is."""

    id = fields.UUID(required=True)
    version = WholeNumber(load_default=None, validate=validate.Range(1, 2**31 - 1))


class BulkIn(ApiSchema):
    """`changes` belong to the action change, `reason` to the others."""

    action = fields.Enum(BulkAction, by_value=True, required=True)
    items = fields.List(fields.Nested(BulkItemIn), required=True, validate=validate.Length(1, MOST_ITEMS))
    reason = PlainText(500, load_default="")
    changes = fields.Nested(PoiPatch, load_default=None)

    @validates_schema
    def check(self, values: dict[str, Any], **_: Any) -> None:
        if (values["action"] is BulkAction.CHANGE) != bool(values.get("changes")):
            raise _at("changes", "INVALID", "Changes belong to the action change, and to no other.")
        if values["action"] is BulkAction.REJECT and not values["reason"]:
            raise _at("reason", "REQUIRED", "Whoever asked for the review is told why.")
        ids = [item["id"] for item in values["items"]]
        if len(set(ids)) != len(ids):
            raise _at("items", "INVALID", "A point of interest is there twice.")


def bulk_command(values: Mapping[str, Any], by: By) -> BulkPois:
    """The command that the body (as `BulkIn` loads it) asks for."""
    return BulkPois(
        by=by,
        action=values["action"],
        items=tuple(BulkItem(item["id"], item["version"]) for item in values["items"]),
        reason=values["reason"],
        changes=values["changes"] or {},
    )


def _at(name: str, code: str, detail: str) -> Any:
    error = coded(code, detail)
    return type(error)({name: error.messages})
