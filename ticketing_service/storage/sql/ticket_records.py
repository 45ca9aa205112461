"""Tickets and POIs as rows, and back."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, Text, type_coerce

from common.texts import Texts, text_in
from ticketing_service.domain.catalogue import (
    AvailabilityType,
    Option,
    Poi,
    Point,
    RefundStep,
    Restrictions,
    Tax,
    Ticket,
    TicketStatus,
    TicketType,
    Unit,
    UnitType,
)
from ticketing_service.storage.sql import schema

SORT_TITLE_LENGTH = 120

_tickets = schema.tickets
BODY = type_coerce(_tickets.c.body, Text).label("body_text")
"""The body as its text, which `ticket_of` decodes once for many reads."""

COLUMNS = (*(column for column in _tickets.c if column.name != "body"), BODY)
"""What `ticket_of` reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """What of a ticket no query asks for."""

    poi_ids: tuple[UUID, ...]
    availability_type: AvailabilityType
    title: Texts
    description: Texts
    time_zone: str
    currency: str
    options: tuple[Option, ...]
    cutoff_minutes: int
    refund_policy: tuple[RefundStep, ...]
    taxes: tuple[Tax, ...]
    commission_basis_points: int
    valid_days: int


def ticket_row(ticket: Ticket) -> dict[str, Any]:
    """All columns of the ticket's row."""
    return {
        "id": ticket.id,
        "poi_id": ticket.poi_id,
        "type": ticket.type.value,
        "status": ticket.status.value,
        "city": ticket.city,
        "category": ticket.category,
        "latitude": ticket.point.latitude,
        "longitude": ticket.point.longitude,
        "sort_title": sort_title(ticket.title),
        "from_price": ticket.from_price,
        "version": ticket.version,
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
        "body": _body_json(ticket),
    }


def ticket_of(values: Sequence[Any]) -> Ticket:
    """The ticket of a row, or the part of a row, that holds `COLUMNS`."""
    (
        ticket_id,
        poi_id,
        ticket_type,
        status,
        city,
        category,
        latitude,
        longitude,
        _,
        _,
        version,
        created_at,
        updated_at,
        text,
    ) = values
    body = _decoded(text)
    return Ticket(
        id=ticket_id,
        poi_id=poi_id,
        poi_ids=body.poi_ids,
        type=TicketType(ticket_type),
        status=TicketStatus(status),
        availability_type=body.availability_type,
        title=body.title,
        description=body.description,
        city=city,
        category=category,
        point=Point(latitude, longitude),
        time_zone=body.time_zone,
        currency=body.currency,
        options=body.options,
        cutoff_minutes=body.cutoff_minutes,
        refund_policy=body.refund_policy,
        taxes=body.taxes,
        commission_basis_points=body.commission_basis_points,
        valid_days=body.valid_days,
        version=version,
        created_at=created_at,
        updated_at=updated_at,
    )


def sort_title(title: Texts) -> str:
    """The title as lists are ordered by it: case and accents folded, single blanks."""
    folded = unicodedata.normalize("NFKD", text_in(title, "en").casefold())
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return " ".join(plain.split())[:SORT_TITLE_LENGTH].rstrip()


def poi_row(poi: Poi) -> dict[str, Any]:
    return {
        "id": poi.id,
        "names": dict(poi.names),
        "city": poi.city,
        "category": poi.category,
        "latitude": poi.point.latitude,
        "longitude": poi.point.longitude,
        "time_zone": poi.time_zone,
        "version": poi.version,
    }


def poi_of(row: Row[Any]) -> Poi:
    return Poi(
        id=row.id,
        names=row.names,
        city=row.city,
        category=row.category,
        point=Point(row.latitude, row.longitude),
        time_zone=row.time_zone,
        version=row.version,
    )


def _body_json(ticket: Ticket) -> dict[str, Any]:
    return {
        "poiIds": [str(poi_id) for poi_id in ticket.poi_ids],
        "availabilityType": ticket.availability_type.value,
        "title": dict(ticket.title),
        "description": dict(ticket.description),
        "timeZone": ticket.time_zone,
        "currency": ticket.currency,
        "options": [_option_json(option) for option in ticket.options],
        "cutoffMinutes": ticket.cutoff_minutes,
        "refundPolicy": [[step.hours_before, step.percent] for step in ticket.refund_policy],
        "taxes": [[tax.name, tax.rate_basis_points] for tax in ticket.taxes],
        "commission": ticket.commission_basis_points,
        "validDays": ticket.valid_days,
    }


def _option_json(option: Option) -> dict[str, Any]:
    return {
        "id": str(option.id),
        "title": dict(option.title),
        "default": option.default,
        "units": [_unit_json(unit) for unit in option.units],
        "price": option.price,
        "minUnits": option.min_units,
        "maxUnits": option.max_units,
        "resourceIds": list(option.resource_ids),
    }


def _unit_json(unit: Unit) -> dict[str, Any]:
    rules = unit.restrictions
    return {
        "id": str(unit.id),
        "type": unit.type.value,
        "title": dict(unit.title),
        "paxCount": unit.pax_count,
        "price": unit.price,
        "ages": [rules.min_age, rules.max_age],
        "quantities": [rules.min_quantity, rules.max_quantity],
        "accompaniedBy": [str(unit_id) for unit_id in rules.accompanied_by],
    }


@lru_cache(maxsize=256)
def _decoded(text: str) -> _Body:
    """Decoding costs more than the query: of a ticket that sells, the same text comes again and again."""
    data = orjson.loads(text)
    return _Body(
        poi_ids=tuple(map(UUID, data["poiIds"])),
        availability_type=AvailabilityType(data["availabilityType"]),
        title=data["title"],
        description=data["description"],
        time_zone=data["timeZone"],
        currency=data["currency"],
        options=tuple(map(_option, data["options"])),
        cutoff_minutes=data["cutoffMinutes"],
        refund_policy=tuple(RefundStep(*step) for step in data["refundPolicy"]),
        taxes=tuple(Tax(*tax) for tax in data["taxes"]),
        commission_basis_points=data["commission"],
        valid_days=data["validDays"],
    )


def _option(data: Mapping[str, Any]) -> Option:
    return Option(
        id=UUID(data["id"]),
        title=data["title"],
        default=data["default"],
        units=tuple(map(_unit, data["units"])),
        price=data["price"],
        min_units=data["minUnits"],
        max_units=data["maxUnits"],
        resource_ids=tuple(data["resourceIds"]),
    )


def _unit(data: Mapping[str, Any]) -> Unit:
    (min_age, max_age), (min_quantity, max_quantity) = data["ages"], data["quantities"]
    return Unit(
        id=UUID(data["id"]),
        type=UnitType(data["type"]),
        title=data["title"],
        pax_count=data["paxCount"],
        price=data["price"],
        restrictions=Restrictions(
            min_age=min_age,
            max_age=max_age,
            min_quantity=min_quantity,
            max_quantity=max_quantity,
            accompanied_by=tuple(map(UUID, data["accompaniedBy"])),
        ),
    )
