"""POIs, tickets, slots and counters in the neutral form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from common.mongo.values import local_text
from common.transfer.documents import Document
from ticketing_service.domain.catalogue import Ticket
from ticketing_service.domain.search import ticket_words
from ticketing_service.storage.predecessor.catalogue import Availability, Place, opening_hours, slot_status
from ticketing_service.storage.records.tickets import body_document, sort_title

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def poi_document(place: Place) -> Document:
    return {
        "id": place.id,
        "names": dict(place.names),
        "city": place.city,
        "category": place.category,
        "latitude": place.point.latitude,
        "longitude": place.point.longitude,
        "time_zone": place.time_zone,
        "version": 1,
    }


def ticket_document(ticket: Ticket) -> Document:
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
        "created_at": milliseconds(ticket.created_at),
        "updated_at": milliseconds(ticket.updated_at),
        "body": body_document(ticket),
        "words": sorted(ticket_words(ticket)),
    }


def slot_document(slot: Availability) -> Document:
    return {
        "id": slot.id,
        "ticket_id": slot.ticket_id,
        "option_id": slot.option_id,
        "local_start": local_text(slot.local_start),
        "local_end": local_text(slot.local_end),
        "time_zone": slot.place.time_zone,
        "all_day": slot.kind.all_day,
        "opening_hours": opening_hours(slot),
        "starts_at": milliseconds(slot.starts_at),
        "ends_at": milliseconds(slot.ends_at),
        "sales_end_at": milliseconds(slot.sales_end_at),
        "status": slot_status(slot).value,
        "multiplier": f"{slot.multiplier.normalize():f}",
        "version": 1,
        "counter_ids": [slot.id],
    }


def counter_document(slot: Availability, held: int, sold: int) -> Document:
    return {"id": slot.id, "capacity": slot.capacity, "held": held, "sold": sold, "transient": False}


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - _EPOCH) // _MILLISECOND
