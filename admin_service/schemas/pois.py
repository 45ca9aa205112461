"""Points of interest: what comes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, post_load, validate, validates_schema

from admin_service.domain.geo import Point
from admin_service.domain.poi import (
    AccessFeature,
    Accessibility,
    Accessible,
    Address,
    Contact,
    Image,
    PoiStatus,
    PriceLevel,
    PriceRange,
)
from admin_service.domain.searching import PoiQuery, Sort
from admin_service.schemas.poi_fields import (
    MAX_NAME,
    MAX_SUMMARY,
    MAX_TAG,
    BoundingBox,
    ByLanguage,
    GeoJsonPoint,
    Hours,
    Near,
    PhoneNumber,
    PlainText,
    RichText,
    WebAddress,
    ZoneName,
)
from common.web.field_errors import coded
from common.web.schemas import ApiSchema, Instant, WholeNumber
from common.web.values import EmailAddress, LanguageQuery, Paged
from common.words import words

MAX_TAGS, MAX_IMAGES, MAX_AMOUNT = 30, 30, 100_000_000
DEFAULT_RADIUS_KM, MAX_RADIUS_KM = 10.0, 500.0
MULTILINE = ("description",)
"""Members whose texts may have line breaks."""


class AddressIn(ApiSchema):
    """`country` is ISO 3166-1 alpha-2."""

    street = PlainText(allow_none=True)
    postal_code = PlainText(20, allow_none=True)
    city = PlainText(100, required=True)
    region = PlainText(allow_none=True)
    country = fields.String(validate=validate.Regexp(r"[A-Z]{2}\Z"), allow_none=True)

    @post_load
    def address(self, values: dict[str, Any], **_: Any) -> Address:
        return Address(**values)


class ContactIn(ApiSchema):
    phone = PhoneNumber(allow_none=True)
    email = EmailAddress(allow_none=True)
    website = WebAddress(allow_none=True)

    @post_load
    def contact(self, values: dict[str, Any], **_: Any) -> Contact:
        return Contact(**values)


class AccessibilityIn(ApiSchema):
    """`wheelchair` as in OpenStreetMap; `notes` are texts by language."""

    wheelchair = fields.Enum(Accessible, by_value=True, load_default=Accessible.UNKNOWN)
    features = fields.List(fields.Enum(AccessFeature, by_value=True), validate=validate.Length(max=20))
    notes = ByLanguage(PlainText(500))

    @post_load
    def accessibility(self, values: dict[str, Any], **_: Any) -> Accessibility:
        features = tuple(dict.fromkeys(values.pop("features", ())))
        return Accessibility(features=features, **values)


class PriceRangeIn(ApiSchema):
    """What a visit costs an adult; amounts in minor units of `currency` (ISO 4217)."""

    level = fields.Enum(PriceLevel, by_value=True, required=True)
    lowest = WholeNumber(allow_none=True, validate=validate.Range(0, MAX_AMOUNT))
    highest = WholeNumber(allow_none=True, validate=validate.Range(0, MAX_AMOUNT))
    currency = fields.String(allow_none=True, validate=validate.Regexp(r"[A-Z]{3}\Z"))

    @post_load
    def price_range(self, values: dict[str, Any], **_: Any) -> PriceRange:
        return PriceRange(**values)


class ImageIn(ApiSchema):
    """A picture of the media library; `alt` says in words what it shows."""

    media_id = fields.UUID(required=True)
    alt = ByLanguage(PlainText(300), least=1, required=True)
    source = PlainText(required=True)
    licence = PlainText(100, required=True)

    @post_load
    def image(self, values: dict[str, Any], **_: Any) -> Image:
        return Image(**values)


class PoiIn(ApiSchema):
    """A POI's content; texts are maps by language, `description` is HTML and is sanitised. What is left out
    of a POST or PUT takes its default; the time zone that of the place.
    """

    name = ByLanguage(PlainText(MAX_NAME), least=1, required=True, attribute="names")
    summary = ByLanguage(PlainText(MAX_SUMMARY), allow_none=True, attribute="summaries")
    description = ByLanguage(RichText(), allow_none=True, attribute="descriptions")
    category = fields.String(required=True, validate=validate.Length(1, 60))
    tags = fields.List(PlainText(MAX_TAG), allow_none=True, validate=validate.Length(max=MAX_TAGS))
    location = GeoJsonPoint(required=True, attribute="point")
    time_zone = ZoneName(allow_none=True)
    address = fields.Nested(AddressIn, required=True)
    contact = fields.Nested(ContactIn, allow_none=True)
    opening_hours = Hours(allow_none=True)
    accessibility = fields.Nested(AccessibilityIn, allow_none=True)
    price_range = fields.Nested(PriceRangeIn, allow_none=True)
    images = fields.List(fields.Nested(ImageIn), allow_none=True, validate=validate.Length(max=MAX_IMAGES))
    external_id = PlainText(100, allow_none=True)

    @post_load
    def changes(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Members of `PoiContent`; None stands for a member's default."""
        if values.get("tags") is not None:
            values["tags"] = tuple(dict.fromkeys(tag.lower() for tag in values["tags"]))
        if values.get("images") is not None:
            values["images"] = tuple(values["images"])
        for name in ("names", "summaries", "descriptions"):
            if values.get(name):
                values[name] = {language: text for language, text in values[name].items() if text}
        return values


class PoiPatch(PoiIn):
    """The fields that are named replace the POI's; the others stay. Null takes the default."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"partial": tuple(self._declared_fields), **options})


class PoiFilters(ApiSchema):
    """What the admin's and the public list can be narrowed by. `category` may be a group. `bbox` and `near`
    bring an order of their own.
    """

    q = fields.String(validate=validate.Length(max=200))
    category = fields.String(validate=validate.Length(1, 60))
    city = fields.String(validate=validate.Length(1, 100))
    tag = fields.String(validate=validate.Length(1, MAX_TAG))
    bbox = BoundingBox()
    near = Near()
    radius_km = fields.Float(validate=validate.Range(0.01, MAX_RADIUS_KM))
    sort = fields.String(validate=validate.OneOf(["name", "newest", "updated"]))

    @validates_schema
    def check(self, values: dict[str, Any], **_: Any) -> None:
        if "radius_km" in values and "near" not in values:
            raise _at("radiusKm", "REQUIRED", "A radius needs a place: near.")
        if "near" in values and "bbox" in values:
            raise _at("bbox", "INVALID", "Either a box or a circle.")
        if "sort" in values and ("near" in values or "bbox" in values):
            raise _at("sort", "INVALID", "A box has the order of the map, a circle that of the distance.")


class PoiSearch(PoiFilters, Paged):
    """The admin's list. `waiting`: those that a reviewer has to look at. `status`: one; all without it."""

    status = fields.Enum(PoiStatus, by_value=True)
    waiting = fields.Boolean(load_default=False)


class PublicSearch(PoiFilters, Paged, LanguageQuery):
    """The public list. `updatedSince`: what has changed for visitors at that instant or later, in the order
    of the changes; `removed` names what they do not see any more.
    """

    updated_since = Instant()

    @validates_schema
    def check_feed(self, values: dict[str, Any], **_: Any) -> None:
        if "updated_since" in values and values.keys() & {"near", "bbox", "sort", "q"}:
            raise _at("updatedSince", "INVALID", "The changes have an order of their own.")


class ClusterQuery(ApiSchema):
    """`zoom` as web maps count it, 0 for the whole world on one tile of 256 pixels."""

    bbox = BoundingBox(required=True)
    zoom = fields.Integer(required=True, validate=validate.Range(0, 22))
    category = fields.String(validate=validate.Length(1, 60))


class PoiStepIn(ApiSchema):
    """`reason` is kept in the history."""

    reason = PlainText(500, allow_none=True, load_default=None)


class RejectIn(ApiSchema):
    """`reason` is told to whoever asked for the review."""

    reason = PlainText(500, required=True)


class VerifyIn(ApiSchema):
    note = PlainText(500, load_default="")


class OwnerIn(ApiSchema):
    """The id of the account that owns the POI; null for none."""

    owner_id = fields.UUID(required=True, allow_none=True)


class RestoreIn(ApiSchema):
    """The version of the history whose content is to be the content again."""

    version = WholeNumber(required=True, validate=validate.Range(1, 2**31 - 1))


class MergeIn(ApiSchema):
    duplicate_id = fields.UUID(required=True)
    duplicate_version = WholeNumber(required=True, validate=validate.Range(1, 2**31 - 1))


def poi_query(values: Mapping[str, Any], statuses: tuple[PoiStatus, ...]) -> PoiQuery:
    """The search that the query parameters (as a schema above loads them) ask for."""
    near: Point | None = values.get("near")
    sort = Sort(values["sort"]) if values.get("sort") else Sort.NAME
    if values.get("updated_since") is not None:
        sort = Sort.UPDATED
    elif near is not None:
        sort = Sort.DISTANCE
    elif values.get("bbox") is not None:
        sort = Sort.PLACE
    return PoiQuery(
        words=words(values.get("q", "")),
        category=values.get("category"),
        city=values.get("city"),
        tag=values.get("tag"),
        statuses=statuses,
        waiting=values.get("waiting", False),
        box=values.get("bbox"),
        near=near,
        radius_km=values.get("radius_km", DEFAULT_RADIUS_KM) if near else None,
        changed_since=values.get("updated_since"),
        sort=sort,
        limit=values["limit"],
        cursor=values["cursor"],
    )


def _at(name: str, code: str, detail: str) -> Any:
    """An error at one parameter."""
    error = coded(code, detail)
    return type(error)({name: error.messages})
