"""Points of interest: what goes out to visitors, in one language, as JSON or as GeoJSON (RFC 7946)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from marshmallow import fields

from admin_service.domain.categories import Category
from admin_service.domain.clusters import Cluster
from admin_service.domain.opening_hours import OpenState, state_at
from admin_service.domain.poi import Poi
from admin_service.domain.snapshots import geojson_point, snapshot_of
from admin_service.schemas.poi_answers import (
    AccessibilityOut,
    AddressOut,
    ContactOut,
    OpenOut,
    PointOut,
    PriceRangeOut,
    open_document,
    texts,
)
from common.texts import text_in
from common.web.documents import Document
from common.web.schemas import ApiSchema, Instant, instant_text

GEOJSON = "application/geo+json"


class PublicImageOut(ApiSchema):
    media_id = fields.UUID(required=True)
    alt = fields.String(required=True)
    source = fields.String(required=True)
    licence = fields.String(required=True)


class PublicPoiOut(ApiSchema):
    """A POI in one language, each text falling back to English and then to any other; `names` has all.
    `open` is null without opening hours.
    """

    id = fields.UUID(required=True)
    status = fields.String(required=True)
    version = fields.Integer(required=True)
    name = fields.String(required=True)
    names = texts()
    summary = fields.String(required=True)
    description = fields.String(required=True)
    category = fields.String(required=True)
    tags = fields.List(fields.String(), required=True)
    location = fields.Nested(PointOut, required=True)
    city = fields.String(required=True)
    address = fields.Nested(AddressOut, required=True)
    time_zone = fields.String(required=True)
    contact = fields.Nested(ContactOut, required=True)
    opening_hours = fields.String(required=True, allow_none=True)
    open = fields.Nested(OpenOut, required=True, allow_none=True)
    accessibility = fields.Nested(AccessibilityOut, required=True)
    price_range = fields.Nested(PriceRangeOut, required=True, allow_none=True)
    images = fields.List(fields.Nested(PublicImageOut), required=True)
    verified_at = Instant(required=True, allow_none=True)
    updated_at = Instant(required=True)


class PublicPoiPage(ApiSchema):
    """`removed`, with `updatedSince` alone: ids of those that visitors do not see any more."""

    data = fields.List(fields.Nested(PublicPoiOut), required=True)
    removed = fields.List(fields.UUID())
    next_cursor = fields.String(required=True, allow_none=True)


class ClusterOut(ApiSchema):
    """`count` places in the box `bbox` (west, south, east, north); `location` is their middle."""

    count = fields.Integer(required=True)
    location = fields.Nested(PointOut, required=True)
    bbox = fields.List(fields.Float(), required=True)


class ClusterList(ApiSchema):
    data = fields.List(fields.Nested(ClusterOut), required=True)


class CategoryOut(ApiSchema):
    """`parent` is null for a group, which holds kinds and no POI of its own."""

    key = fields.String(required=True)
    parent = fields.String(required=True, allow_none=True)
    names = texts()


class CategoryList(ApiSchema):
    data = fields.List(fields.Nested(CategoryOut), required=True)


def categories_document(categories: Iterable[Category]) -> Document:
    """As `CategoryList` says."""
    return {"data": [{"key": each.key, "parent": each.parent, "names": each.names} for each in categories]}


def open_state(poi: Poi, moment: datetime) -> OpenState | None:
    """Whether the place is open at `moment`; None when it does not say."""
    content = poi.content
    if content.opening_hours is None:
        return None
    return state_at(content.opening_hours, content.time_zone, content.address.country, content.point, moment)


def public_document(poi: Poi, language: str, state: OpenState | None) -> Document:
    """As `PublicPoiOut` says."""
    content = poi.content
    whole = snapshot_of(content)
    verification = poi.verification
    kept = ("category", "tags", "location", "address", "timeZone", "contact", "openingHours", "priceRange")
    return {
        "id": poi.id,
        "status": poi.status.value,
        "version": poi.version,
        "name": text_in(content.names, language),
        "names": whole["name"],
        "summary": text_in(content.summaries, language),
        "description": text_in(content.descriptions, language),
        **{name: whole[name] for name in kept},
        "city": content.address.city,
        "open": None if state is None else open_document(state),
        "accessibility": whole["accessibility"],
        "images": [
            {
                "mediaId": image.media_id,
                "alt": text_in(image.alt, language),
                "source": image.source,
                "licence": image.licence,
            }
            for image in content.images
        ],
        "verifiedAt": None if verification is None else instant_text(verification.at),
        "updatedAt": instant_text(poi.changed_at),
    }


def feature(document: Document) -> Document:
    """The same as a Feature: what is not the place is a property."""
    properties = {name: value for name, value in document.items() if name not in ("id", "location")}
    return {
        "type": "Feature",
        "id": document["id"],
        "geometry": document["location"],
        "properties": properties,
    }


def feature_collection(documents: Iterable[Document], **members: Any) -> Document:
    """`members` are foreign ones (section 6.1), such as `nextCursor`."""
    return {"type": "FeatureCollection", "features": [feature(each) for each in documents], **members}


def cluster_document(cluster: Cluster) -> Document:
    """As `ClusterOut` says."""
    box = cluster.box
    return {
        "count": cluster.count,
        "location": geojson_point(cluster.point),
        "bbox": [round(edge, 7) for edge in (box.west, box.south, box.east, box.north)],
    }


def cluster_collection(clusters: Iterable[Cluster]) -> Document:
    """The clusters as Features, each with its box."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "bbox": document["bbox"],
                "geometry": document["location"],
                "properties": {"count": document["count"]},
            }
            for document in map(cluster_document, clusters)
        ],
    }
