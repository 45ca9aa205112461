"""Tickets and POIs as rows, and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Row, Text, type_coerce

from ticketing_service.domain.catalogue import Poi, Point, Ticket, TicketStatus, TicketType
from ticketing_service.storage.records.tickets import Body, body_document, body_of, sort_title
from ticketing_service.storage.sql import schema

_tickets = schema.tickets
BODY = type_coerce(_tickets.c.body, Text).label("body_text")
"""The body as its text, which `ticket_of` decodes once for many reads."""

COLUMNS = (*(column for column in _tickets.c if column.name != "body"), BODY)
"""What `ticket_of` reads."""


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
        "body": body_document(ticket),
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


@lru_cache(maxsize=256)
def _decoded(text: str) -> Body:
    """Decoding costs more than the query: of a ticket that sells, the same text comes again and again."""
    return body_of(orjson.loads(text))
