"""Webhooks as OCTO has them. Its specification names the capability alone; the shapes are those of its own
published types (octotravel/octo-types, Webhook.ts).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from common.outgoing.posting import MAX_URL
from ticketing_service.actions import resale, resold_products
from ticketing_service.actions.ports import Ports
from ticketing_service.domain.errors import Refused
from ticketing_service.domain.webhooks import Delivery, EventType, Subscription
from ticketing_service.schemas.documents import Document, rendered
from ticketing_service.schemas.octo.availability import Shown, availability_document
from ticketing_service.schemas.octo.bookings import View, booking_document
from ticketing_service.schemas.octo.capabilities import Capability
from ticketing_service.schemas.octo.products import LOCALE, Asked, product_document
from ticketing_service.schemas.octo.requests import OctoSchema

EVENTS: Mapping[str, EventType] = {
    "booking_update": EventType.BOOKING,
    "availability_update": EventType.AVAILABILITY,
    "product_update": EventType.PRODUCT,
}
_NAMES = {event: name for name, event in EVENTS.items()}


class WebhookIn(OctoSchema):
    """What else may be named there is let pass: `webhook_document` says what holds."""

    event = fields.String(required=True, validate=validate.OneOf(EVENTS))
    url = fields.String(required=True, validate=validate.Length(1, MAX_URL))


def webhook_document(subscription: Subscription) -> Document:
    """As OCTO's Webhook: always tried again, in one language, with no headers but ours."""
    return {
        "id": subscription.id,
        "event": _NAMES[subscription.events[0]],
        "url": subscription.url,
        "retryOnError": True,
        "useContactLanguage": False,
        "headers": {},
        "capabilities": subscription.octo or (),
    }


def update_body(subscription: Subscription, delivery: Delivery, ports: Ports) -> bytes | None:
    """What is sent for a subscription that was made over OCTO: what has changed, as it is now. None of what
    OCTO has no shape for, which is a booking of several items.
    """
    reseller = ports.store.resellers.get(subscription.reseller_id) if subscription.reseller_id else None
    if reseller is None:
        return None
    asked = Asked(reseller, LOCALE, frozenset(map(Capability, subscription.octo or ())))
    told = _TOLD[delivery.type](delivery, asked, ports)
    return None if told is None else rendered({"webhook": webhook_document(subscription), **told})


def _booking(delivery: Delivery, asked: Asked, ports: Ports) -> Document | None:
    booking = ports.store.bookings.get(delivery.subject)
    if booking is None or len(booking.items) != 1:
        return None
    (told,) = resale.told([booking], ports)
    return {"booking": booking_document(told, View.of(asked, ports))}


def _availability(delivery: Delivery, asked: Asked, ports: Ports) -> Document:
    """`availability` is null when many have changed, or there is none any more."""
    data = delivery.data
    slot_id = data["slotId"]
    return {
        "availability": None if slot_id is None else _slot(UUID(slot_id), asked, ports),
        "productId": data["ticketId"],
        "optionId": data["optionId"],
    }


def _slot(slot_id: UUID, asked: Asked, ports: Ports) -> Document | None:
    offer = ports.store.slots.offers((slot_id,)).get(slot_id)
    option = None if offer is None else offer.ticket.option(offer.slot.option_id)
    if offer is None or option is None:
        return None
    nothing: Mapping[UUID, int] = {}
    shown = Shown(offer.ticket, option, nothing, ports.policy, ports.clock(), asked)
    return availability_document(offer.slot, shown)


def _product(delivery: Delivery, asked: Asked, ports: Ports) -> Document:
    """`product` is null when it is not for sale any more."""
    return {"product": _sold(delivery.subject, asked, ports), "productId": delivery.subject}


def _sold(ticket_id: UUID, asked: Asked, ports: Ports) -> Document | None:
    try:
        return product_document(resold_products.find_product(ticket_id, asked.reseller, ports), asked)
    except Refused:
        return None


_TOLD: Mapping[EventType, Any] = {
    EventType.BOOKING: _booking,
    EventType.AVAILABILITY: _availability,
    EventType.PRODUCT: _product,
}
