"""What of a ticket no query asks for, as plain data, and back; and the title by which lists are ordered."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.texts import Texts, text_in
from ticketing_service.domain.catalogue import (
    AvailabilityType,
    Option,
    RefundStep,
    Restrictions,
    Tax,
    Ticket,
    Unit,
    UnitType,
)

SORT_TITLE_LENGTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """It is read and written as one."""

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


def sort_title(title: Texts) -> str:
    """The title as lists are ordered by it: case and accents folded, single blanks."""
    folded = unicodedata.normalize("NFKD", text_in(title, "en").casefold())
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return " ".join(plain.split())[:SORT_TITLE_LENGTH].rstrip()


def body_document(ticket: Ticket) -> dict[str, Any]:
    """The ticket's `Body` as JSON values."""
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


def body_of(data: Mapping[str, Any]) -> Body:
    """The body that `body_document` has written."""
    return Body(
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
