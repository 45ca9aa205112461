"""Tickets and POIs as documents, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.mongo.values import Document, instant, ms
from ticketing_service.domain.catalogue import Poi, Point, Ticket, TicketStatus, TicketType
from ticketing_service.domain.search import ticket_words
from ticketing_service.storage.records.tickets import body_document, body_of, sort_title


def ticket_document(ticket: Ticket) -> Document:
    """All of the ticket's document, with the words by which it is found."""
    return {
        "_id": ticket.id,
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
        "created_at": ms(ticket.created_at),
        "updated_at": ms(ticket.updated_at),
        "body": body_document(ticket),
        "words": sorted(ticket_words(ticket)),
    }


def ticket_of(document: Mapping[str, Any]) -> Ticket:
    """The ticket in a document."""
    body = body_of(document["body"])
    return Ticket(
        id=document["_id"],
        poi_id=document["poi_id"],
        poi_ids=body.poi_ids,
        type=TicketType(document["type"]),
        status=TicketStatus(document["status"]),
        availability_type=body.availability_type,
        title=body.title,
        description=body.description,
        city=document["city"],
        category=document["category"],
        point=Point(document["latitude"], document["longitude"]),
        time_zone=body.time_zone,
        currency=body.currency,
        options=body.options,
        cutoff_minutes=body.cutoff_minutes,
        refund_policy=body.refund_policy,
        taxes=body.taxes,
        commission_basis_points=body.commission_basis_points,
        valid_days=body.valid_days,
        version=document["version"],
        created_at=instant(document["created_at"]),
        updated_at=instant(document["updated_at"]),
    )


def poi_document(poi: Poi) -> Document:
    """All of the POI's document."""
    return {
        "_id": poi.id,
        "names": dict(poi.names),
        "city": poi.city,
        "category": poi.category,
        "latitude": poi.point.latitude,
        "longitude": poi.point.longitude,
        "time_zone": poi.time_zone,
        "version": poi.version,
    }


def poi_of(document: Mapping[str, Any]) -> Poi:
    """The POI in a document."""
    return Poi(
        id=document["_id"],
        names=document["names"],
        city=document["city"],
        category=document["category"],
        point=Point(document["latitude"], document["longitude"]),
        time_zone=document["time_zone"],
        version=document["version"],
    )
