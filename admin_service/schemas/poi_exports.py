"""Points of interest as a file: what is asked for, and GeoJSON as it is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from marshmallow import fields, validate

from admin_service.domain.import_rows import FORMATS
from admin_service.domain.poi import Poi, PoiStatus
from admin_service.domain.searching import PoiQuery
from admin_service.domain.snapshots import snapshot_of
from admin_service.schemas.poi_fields import MAX_TAG
from common.web.documents import Document, rendered
from common.web.schemas import ApiSchema
from common.words import words


class ExportQuery(ApiSchema):
    """The same filters as the list's, but for those that bring an order of their own."""

    format = fields.String(load_default="csv", validate=validate.OneOf(FORMATS))
    q = fields.String(validate=validate.Length(max=200))
    category = fields.String(validate=validate.Length(1, 60))
    city = fields.String(validate=validate.Length(1, 100))
    tag = fields.String(validate=validate.Length(1, MAX_TAG))
    status = fields.Enum(PoiStatus, by_value=True)


def export_query(values: Mapping[str, Any], statuses: tuple[PoiStatus, ...]) -> PoiQuery:
    """The search that the query parameters (as `ExportQuery` loads them) ask for."""
    return PoiQuery(
        words=words(values.get("q", "")),
        category=values.get("category"),
        city=values.get("city"),
        tag=values.get("tag"),
        statuses=statuses,
    )


def feature_lines(pois: Iterable[Poi]) -> Iterator[bytes]:
    """A FeatureCollection (RFC 7946), a feature a line."""
    yield b'{"type":"FeatureCollection","features":[\n'
    for index, poi in enumerate(pois):
        yield (b",\n" if index else b"") + rendered(_feature(poi))
    yield b"\n]}\n"


def _feature(poi: Poi) -> Document:
    """The properties are the fields of a request, and what only we may say, which an import leaves out."""
    properties = snapshot_of(poi.content)
    location = properties.pop("location")
    ours = {"id": poi.id, "status": poi.status.value, "version": poi.version, "owner": poi.owner}
    return {"type": "Feature", "geometry": location, "properties": {**ours, **properties}}
