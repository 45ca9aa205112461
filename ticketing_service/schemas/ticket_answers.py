"""The catalogue: what goes out."""

from __future__ import annotations

from marshmallow import fields

from common.texts import text_in
from common.web.schemas import ApiSchema, Instant
from ticketing_service.domain.catalogue import Option, Ticket, Unit
from ticketing_service.schemas.documents import Document, instant_text, money
from ticketing_service.schemas.values import Money


class Restrictions(ApiSchema):
    """Ages in years, quantities in units an item; one of `accompaniedBy` (unit ids) must be booked too."""

    min_age = fields.Integer(allow_none=True)
    max_age = fields.Integer(allow_none=True)
    min_quantity = fields.Integer(allow_none=True)
    max_quantity = fields.Integer(allow_none=True)
    accompanied_by = fields.List(fields.UUID())


class TitleTexts(ApiSchema):
    """All languages, for those who manage the catalogue."""

    title = fields.Dict(fields.String(), fields.String(), required=True)


class TicketTexts(TitleTexts):
    """All languages, for those who manage the catalogue."""

    description = fields.Dict(fields.String(), fields.String(), required=True)


class UnitOut(ApiSchema):
    """Who it is for, and at what price before a slot's multiplier."""

    id = fields.UUID(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True)
    pax_count = fields.Integer(required=True)
    price = fields.Nested(Money, required=True)
    restrictions = fields.Nested(Restrictions, required=True)
    texts = fields.Nested(TitleTexts)


class OptionOut(ApiSchema):
    """A variant; `price` is that of a whole group, else null."""

    id = fields.UUID(required=True)
    title = fields.String(required=True)
    default = fields.Boolean(required=True)
    price = fields.Nested(Money, required=True, allow_none=True)
    min_units = fields.Integer(required=True)
    max_units = fields.Integer(required=True)
    units = fields.List(fields.Nested(UnitOut), required=True)
    resource_ids = fields.List(fields.String())
    texts = fields.Nested(TitleTexts)


class RefundStepOut(ApiSchema):
    hours_before = fields.Integer(required=True)
    percent = fields.Integer(required=True)


class TaxOut(ApiSchema):
    name = fields.String(required=True)
    rate_basis_points = fields.Integer(required=True)


class PointOut(ApiSchema):
    latitude = fields.Float(required=True)
    longitude = fields.Float(required=True)


class TicketOut(ApiSchema):
    """A ticket in one language.

    `texts`, `version`, `commissionBasisPoints` and the options' `resourceIds` are for managers alone.
    """

    id = fields.UUID(required=True)
    poi_id = fields.UUID(required=True)
    poi_ids = fields.List(fields.UUID(), required=True)
    type = fields.String(required=True)
    status = fields.String(required=True)
    availability_type = fields.String(required=True)
    title = fields.String(required=True)
    description = fields.String(required=True)
    city = fields.String(required=True)
    category = fields.String(required=True)
    location = fields.Nested(PointOut, required=True)
    time_zone = fields.String(required=True)
    from_price = fields.Nested(Money, required=True)
    options = fields.List(fields.Nested(OptionOut), required=True)
    cutoff_minutes = fields.Integer(required=True)
    refund_policy = fields.List(fields.Nested(RefundStepOut), required=True)
    taxes = fields.List(fields.Nested(TaxOut), required=True)
    valid_days = fields.Integer(required=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)
    commission_basis_points = fields.Integer()
    version = fields.Integer()
    texts = fields.Nested(TicketTexts)


def ticket_document(ticket: Ticket, language: str, *, for_managers: bool = False) -> Document:
    """As `TicketOut` says."""
    document: Document = {
        "id": ticket.id,
        "poiId": ticket.poi_id,
        "poiIds": ticket.poi_ids,
        "type": ticket.type,
        "status": ticket.status,
        "availabilityType": ticket.availability_type,
        "title": text_in(ticket.title, language),
        "description": text_in(ticket.description, language),
        "city": ticket.city,
        "category": ticket.category,
        "location": {"latitude": ticket.point.latitude, "longitude": ticket.point.longitude},
        "timeZone": ticket.time_zone,
        "fromPrice": money(ticket.from_price, ticket.currency),
        "options": [_option(option, ticket.currency, language, for_managers) for option in ticket.options],
        "cutoffMinutes": ticket.cutoff_minutes,
        "refundPolicy": [
            {"hoursBefore": step.hours_before, "percent": step.percent} for step in ticket.refund_policy
        ],
        "taxes": [{"name": tax.name, "rateBasisPoints": tax.rate_basis_points} for tax in ticket.taxes],
        "validDays": ticket.valid_days,
        "createdAt": instant_text(ticket.created_at),
        "updatedAt": instant_text(ticket.updated_at),
    }
    if for_managers:
        document["commissionBasisPoints"] = ticket.commission_basis_points
        document["version"] = ticket.version
        document["texts"] = {"title": dict(ticket.title), "description": dict(ticket.description)}
    return document


def _option(option: Option, currency: str, language: str, for_managers: bool) -> Document:
    document: Document = {
        "id": option.id,
        "title": text_in(option.title, language),
        "default": option.default,
        "price": None if option.price is None else money(option.price, currency),
        "minUnits": option.min_units,
        "maxUnits": option.max_units,
        "units": [_unit(unit, currency, language, for_managers) for unit in option.units],
    }
    if for_managers:
        document["resourceIds"] = option.resource_ids
        document["texts"] = {"title": dict(option.title)}
    return document


def _unit(unit: Unit, currency: str, language: str, for_managers: bool) -> Document:
    rules = unit.restrictions
    document: Document = {
        "id": unit.id,
        "type": unit.type,
        "title": text_in(unit.title, language),
        "paxCount": unit.pax_count,
        "price": money(unit.price, currency),
        "restrictions": {
            "minAge": rules.min_age,
            "maxAge": rules.max_age,
            "minQuantity": rules.min_quantity,
            "maxQuantity": rules.max_quantity,
            "accompaniedBy": rules.accompanied_by,
        },
    }
    if for_managers:
        document["texts"] = {"title": dict(unit.title)}
    return document
