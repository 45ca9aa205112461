"""What is told of a change, who hears it, and how both lie as plain data, the same on every store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common.clock import system_clock
from common.identifiers import uuid7
from ticketing_service.domain.bookings import Booking, BookingItem
from ticketing_service.domain.catalogue import Ticket
from ticketing_service.domain.slots import Slot
from ticketing_service.domain.webhooks import (
    KEPT_TRYING,
    Delivery,
    Event,
    EventType,
    Place,
    SigningSecret,
    Subscription,
)

Audience = Sequence[tuple[Subscription, frozenset[UUID] | None]]
"""Active subscriptions, each with the tickets that its reseller may sell; None: all."""


def booking_event(booking: Booking, now: datetime, *, places: bool, before: Booking | None = None) -> Event:
    """What is told of a booking as it is now; `places`: whether it has taken some, or given some back,
    also those that it had `before`.
    """
    had = () if before is None else before.items
    changed = dict.fromkeys(map(_place_of, (*had, *booking.items)))
    return Event(
        id=uuid7(),
        subject=booking.id,
        sequence=booking.version,
        reseller_id=booking.reseller_id,
        is_test=booking.is_test,
        booking={
            "id": str(booking.id),
            "reference": booking.reference,
            "status": booking.status.value,
            "paymentStatus": booking.payment_status.value,
            "channel": booking.channel.value,
            "resellerId": None if booking.reseller_id is None else str(booking.reseller_id),
            "isTest": booking.is_test,
            "version": booking.version,
        },
        places=tuple(changed) if places and not booking.is_test else (),
        at=now,
    )


def ticket_event(ticket: Ticket) -> Event:
    """What is told of a ticket as it is now."""
    return Event(
        id=uuid7(),
        subject=ticket.id,
        sequence=ticket.version,
        product={"ticketId": str(ticket.id), "status": ticket.status.value, "version": ticket.version},
        at=system_clock(),
    )


def slot_event(slot: Slot, now: datetime) -> Event:
    """What is told of a slot that staff have changed."""
    place = Place(slot.ticket_id, slot.option_id, slot.id, slot.local_start.isoformat(timespec="minutes"))
    return Event(id=uuid7(), subject=slot.id, places=(place,), at=now)


def schedule_event(ticket_id: UUID, now: datetime) -> Event:
    """What is told when a schedule has made or changed slots of a ticket."""
    return Event(id=uuid7(), subject=ticket_id, places=(Place(ticket_id),), at=now)


def deliveries_of(event: Event, audience: Audience, now: datetime) -> Iterator[Delivery]:
    """The event for each who is to hear of it, tried from `now` on."""
    for subscription, ticket_ids in audience:
        for kind, subject, data in _heard(event, subscription, ticket_ids):
            yield Delivery(
                id=uuid7(),
                subscription_id=subscription.id,
                event_id=event.id,
                type=kind,
                subject=subject,
                sequence=0 if kind is EventType.AVAILABILITY else event.sequence,
                data=data,
                due_at=now,
                until=now + KEPT_TRYING,
                created_at=event.at,
            )


def event_body(event: Event) -> dict[str, Any]:
    """What of an event has no column of its own."""
    return {
        "booking": event.booking,
        "product": event.product,
        "places": list(map(_place_document, event.places)),
    }


def event_of(fields: Mapping[str, Any], body: Mapping[str, Any]) -> Event:
    """The event whose body `event_body` has made; `fields` are the others."""
    places = tuple(
        Place(
            UUID(each["ticketId"]),
            _id_or_none(each["optionId"]),
            _id_or_none(each["slotId"]),
            each["localStart"],
        )
        for each in body["places"]
    )
    return Event(booking=body["booking"], product=body["product"], places=places, **fields)


def secrets_document(secrets: Iterable[SigningSecret]) -> list[dict[str, Any]]:
    """The secrets of a subscription; `secrets_of` reads it."""
    return [
        {
            "number": each.number,
            "sealed": each.sealed,
            "until": None if each.until is None else each.until.isoformat(),
        }
        for each in secrets
    ]


def secrets_of(document: Iterable[Mapping[str, Any]]) -> tuple[SigningSecret, ...]:
    """What `secrets_document` has made."""
    return tuple(
        SigningSecret(
            each["number"],
            each["sealed"],
            None if each["until"] is None else datetime.fromisoformat(each["until"]),
        )
        for each in document
    )


def _place_of(item: BookingItem) -> Place:
    start = item.local_start.isoformat(timespec="minutes")
    return Place(item.ticket_id, item.option_id, item.slot_id, start)


def _heard(
    event: Event, subscription: Subscription, ticket_ids: frozenset[UUID] | None
) -> Iterator[tuple[EventType, UUID, Mapping[str, Any]]]:
    if event.booking is not None and subscription.hears_of_bookings(event.reseller_id, event.is_test):
        yield EventType.BOOKING, event.subject, event.booking
    wants_product = EventType.PRODUCT in subscription.events and _may_sell(ticket_ids, event.subject)
    if event.product is not None and wants_product:
        yield EventType.PRODUCT, event.subject, event.product
    if EventType.AVAILABILITY in subscription.events:
        for place in event.places:
            if _may_sell(ticket_ids, place.ticket_id):
                yield EventType.AVAILABILITY, place.slot_id or place.ticket_id, _place_document(place)


def _place_document(place: Place) -> dict[str, Any]:
    return {
        "ticketId": str(place.ticket_id),
        "optionId": None if place.option_id is None else str(place.option_id),
        "slotId": None if place.slot_id is None else str(place.slot_id),
        "localStart": place.local_start,
    }


def _may_sell(ticket_ids: frozenset[UUID] | None, ticket_id: UUID) -> bool:
    return ticket_ids is None or ticket_id in ticket_ids


def _id_or_none(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
