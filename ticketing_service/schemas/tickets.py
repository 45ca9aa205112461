"""The catalogue: what comes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marshmallow import fields, post_load, validate

from common.web.field_errors import coded
from common.web.schemas import ApiSchema, WholeNumber, YesNo
from common.words import words
from ticketing_service.actions.ticket_drafts import OptionDraft, UnitDraft
from ticketing_service.domain.catalogue import (
    AvailabilityType,
    Point,
    RefundStep,
    Tax,
    TicketQuery,
    TicketStatus,
    TicketType,
    UnitType,
)
from ticketing_service.domain.codes import MAX_POIS
from ticketing_service.domain.money import BASIS_POINTS
from ticketing_service.schemas.values import (
    MAX_AMOUNT,
    MAX_DESCRIPTION,
    MAX_TITLE,
    CurrencyCode,
    Day,
    LanguageQuery,
    Paged,
    TextMap,
)

MAX_OPTIONS, MAX_UNITS, MAX_PAX, MAX_AGE = 10, 10, 50, 150
MAX_CUTOFF_MINUTES, MAX_NOTICE_HOURS, MAX_VALID_DAYS = 60 * 24 * 60, 24 * 365, 30
DEFAULT_RADIUS_KM, MAX_RADIUS_KM = 10.0, 500.0


class Companion(fields.Field[UUID | UnitType]):
    """The id of a unit, or a unit type of the same option (for units that have no id yet)."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> UUID | UnitType:
        if value in UnitType.__members__.values():
            return UnitType(value)
        try:
            return UUID(value)
        except (ValueError, TypeError, AttributeError) as error:
            raise coded("INVALID", "Neither a unit type nor the id of a unit.") from error


class RestrictionsIn(ApiSchema):
    """Ages in years, quantities in units an item."""

    min_age = WholeNumber(allow_none=True, validate=validate.Range(0, MAX_AGE))
    max_age = WholeNumber(allow_none=True, validate=validate.Range(0, MAX_AGE))
    min_quantity = WholeNumber(allow_none=True, validate=validate.Range(1, 100))
    max_quantity = WholeNumber(allow_none=True, validate=validate.Range(1, 100))
    accompanied_by = fields.List(Companion(), validate=validate.Length(max=MAX_UNITS))


class PriceIn(ApiSchema):
    """An amount in minor units. Without `currency` (ISO 4217) it is the ticket's, and a new ticket's is the
    destination's.
    """

    amount = WholeNumber(required=True, validate=validate.Range(0, MAX_AMOUNT))
    currency = CurrencyCode()


class UnitIn(ApiSchema):
    """Who it is for. `id` names a unit that the option has already."""

    id = fields.UUID()
    type = fields.Enum(UnitType, by_value=True, required=True)
    title = TextMap(MAX_TITLE, required=True)
    pax_count = WholeNumber(load_default=1, validate=validate.Range(1, MAX_PAX))
    price = fields.Nested(PriceIn, required=True)
    restrictions = fields.Nested(RestrictionsIn, load_default=dict)

    @post_load
    def draft(self, values: dict[str, Any], **_: Any) -> UnitDraft:
        rules, price = values.pop("restrictions"), values.pop("price")
        rules["accompanied_by"] = tuple(rules.get("accompanied_by", ()))
        return UnitDraft(**values, **rules, price=price["amount"], currency=price.get("currency"))


class OptionIn(ApiSchema):
    """A variant. `price` is for group tickets alone. `id` names an option that the ticket has already."""

    id = fields.UUID()
    title = TextMap(MAX_TITLE, required=True)
    default = YesNo(required=True)
    units = fields.List(fields.Nested(UnitIn), required=True, validate=validate.Length(1, MAX_UNITS))
    price = fields.Nested(PriceIn, allow_none=True)
    min_units = WholeNumber(load_default=1, validate=validate.Range(1, 100))
    max_units = WholeNumber(load_default=10, validate=validate.Range(1, 100))
    resource_ids = fields.List(
        fields.String(validate=validate.Length(1, 60)), load_default=list, validate=validate.Length(max=8)
    )

    @post_load
    def draft(self, values: dict[str, Any], **_: Any) -> OptionDraft:
        price = values.pop("price", None)
        values["units"], values["resource_ids"] = tuple(values["units"]), tuple(values["resource_ids"])
        if price is not None:
            values |= price | {"price": price["amount"]}
            del values["amount"]
        return OptionDraft(**values)


class RefundStepIn(ApiSchema):
    """Cancelled at least `hoursBefore` the start, `percent` of what was paid is given back."""

    hours_before = WholeNumber(required=True, validate=validate.Range(0, MAX_NOTICE_HOURS))
    percent = WholeNumber(required=True, validate=validate.Range(0, 100))

    @post_load
    def step(self, values: dict[str, Any], **_: Any) -> RefundStep:
        return RefundStep(**values)


class TaxIn(ApiSchema):
    """A tax contained in the price."""

    name = fields.String(required=True, validate=validate.Length(1, 40))
    rate_basis_points = WholeNumber(required=True, validate=validate.Range(0, BASIS_POINTS))

    @post_load
    def tax(self, values: dict[str, Any], **_: Any) -> Tax:
        return Tax(**values)


_LISTS = ("options", "poi_ids", "refund_policy", "taxes")


class TicketIn(ApiSchema):
    """A ticket; texts are maps by language. What is left out of a POST or PUT takes its default."""

    poi_id = fields.UUID(required=True)
    poi_ids = fields.List(fields.UUID(), validate=validate.Length(max=MAX_POIS))
    type = fields.Enum(TicketType, by_value=True, required=True)
    status = fields.Enum(TicketStatus, by_value=True, validate=validate.NoneOf([TicketStatus.ARCHIVED]))
    availability_type = fields.Enum(AvailabilityType, by_value=True, required=True)
    title = TextMap(MAX_TITLE, required=True)
    description = TextMap(MAX_DESCRIPTION, may_be_empty=True, required=True)
    options = fields.List(fields.Nested(OptionIn), required=True, validate=validate.Length(1, MAX_OPTIONS))
    cutoff_minutes = WholeNumber(allow_none=True, validate=validate.Range(0, MAX_CUTOFF_MINUTES))
    refund_policy = fields.List(
        fields.Nested(RefundStepIn), allow_none=True, validate=validate.Length(max=10)
    )
    taxes = fields.List(fields.Nested(TaxIn), allow_none=True, validate=validate.Length(max=5))
    commission_basis_points = WholeNumber(allow_none=True, validate=validate.Range(0, BASIS_POINTS))
    valid_days = WholeNumber(validate=validate.Range(1, MAX_VALID_DAYS))

    @post_load
    def changes(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        for name in _LISTS:
            if values.get(name) is not None:
                values[name] = tuple(values[name])
        return values


class TicketPatch(TicketIn):
    """The fields that are named replace the ticket's; the others stay. Null takes the default."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"partial": tuple(self._declared_fields), **options})


class Near(fields.Field[Point]):
    """`latitude,longitude` in degrees (WGS 84)."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> Point:
        try:
            latitude, longitude = map(float, value.split(","))
        except ValueError as error:
            raise coded("INVALID", "Write latitude,longitude.") from error
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise coded("OUT_OF_RANGE", "Not a place on earth.")
        return Point(latitude=latitude, longitude=longitude)


class TicketSearch(Paged, LanguageQuery):
    """Filters of the catalogue. `from` and `to` (local days) ask for a slot with a place left between them.

    Prices are minor units. Others than active ones are shown to those who manage the catalogue.
    """

    class Meta:
        include = {  # noqa: RUF012 - `from` is no name in Python
            "from": Day(attribute="date_from", data_key="from"),
            "to": Day(attribute="date_to", data_key="to"),
        }

    q = fields.String(validate=validate.Length(max=200))
    category = fields.String(validate=validate.Length(1, 60))
    type = fields.Enum(TicketType, by_value=True)
    city = fields.String(validate=validate.Length(1, 120))
    poi_id = fields.UUID()
    near = Near()
    radius_km = fields.Float(validate=validate.Range(0.01, MAX_RADIUS_KM))
    min_price = fields.Integer(validate=validate.Range(0, MAX_AMOUNT))
    max_price = fields.Integer(validate=validate.Range(0, MAX_AMOUNT))
    sort = fields.String(
        load_default="title", validate=validate.OneOf(["title", "price", "-price", "newest", "distance"])
    )
    status = fields.Enum(TicketStatus, by_value=True, load_default=TicketStatus.ACTIVE)

    @post_load
    def check(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "near" not in values and "radius_km" in values:
            raise coded_at("near", "REQUIRED", "A radius needs a place.")
        if "near" not in values and values["sort"] == "distance":
            raise coded_at("near", "REQUIRED", "A distance needs a place.")
        if values.get("date_to", values.get("date_from")) is not None:
            first = values.get("date_from") or values["date_to"]
            if values.get("date_to", first) < first:
                raise coded_at("to", "OUT_OF_RANGE", "It ends before it begins.")
        return values


def coded_at(name: str, code: str, detail: str) -> Any:
    """An error at one member of the input."""
    error = coded(code, detail)
    return type(error)({name: error.messages})


def ticket_query(values: Mapping[str, Any]) -> TicketQuery:
    """The search that the query parameters (as `TicketSearch` loads them) ask for."""
    near = values.get("near")
    first, last = values.get("date_from"), values.get("date_to")
    return TicketQuery(
        words=words(values.get("q", "")),
        type=values.get("type"),
        category=values.get("category"),
        city=values.get("city"),
        poi_id=values.get("poi_id"),
        near=near,
        radius_km=values.get("radius_km", DEFAULT_RADIUS_KM) if near else None,
        date_from=first.isoformat() if first else None,
        date_to=last.isoformat() if last else None,
        min_price=values.get("min_price"),
        max_price=values.get("max_price"),
        sort=values["sort"],
        statuses=(values["status"],),
        limit=values["limit"],
        cursor=values["cursor"],
    )
