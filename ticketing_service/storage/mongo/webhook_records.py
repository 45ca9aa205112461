"""Subscriptions, events and deliveries as documents, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from common.mongo.values import Document, instant, ms
from ticketing_service.domain.webhooks import (
    Delivery,
    DeliveryState,
    Event,
    EventType,
    Health,
    Subscription,
)
from ticketing_service.storage.records.webhooks import event_body, event_of, secrets_document, secrets_of

THERE: Document = {"deleted_at": None}
ACTIVE: Document = {**THERE, "active": True}


def subscription_document(subscription: Subscription) -> Document:
    """All fields but `deleted_at`."""
    return {
        "_id": subscription.id,
        "reseller_id": subscription.reseller_id,
        "is_test": subscription.is_test,
        "url": subscription.url,
        "events": [each.value for each in subscription.events],
        "secrets": secrets_document(subscription.secrets),
        "octo": None if subscription.octo is None else list(subscription.octo),
        "active": subscription.active,
        **health_fields(subscription.health),
        "version": subscription.version,
        "created_at": ms(subscription.created_at),
        "created_by": subscription.created_by,
    }


def health_fields(health: Health) -> Document:
    """The fields of the endpoint's breaker."""
    return {
        "failures": health.failures,
        "openings": health.openings,
        "closed_until": ms(health.closed_until),
        "last_error": health.last_error,
        "last_failure_at": ms(health.last_failure_at),
    }


def subscription_of(document: Mapping[str, Any]) -> Subscription:
    """What `subscription_document` has made."""
    return Subscription(
        id=document["_id"],
        reseller_id=document["reseller_id"],
        is_test=document["is_test"],
        url=document["url"],
        events=tuple(map(EventType, document["events"])),
        secrets=secrets_of(document["secrets"]),
        octo=None if document["octo"] is None else tuple(document["octo"]),
        active=document["active"],
        health=Health(
            failures=document["failures"],
            openings=document["openings"],
            closed_until=instant(document["closed_until"]),
            last_error=document["last_error"],
            last_failure_at=instant(document["last_failure_at"]),
        ),
        version=document["version"],
        created_at=instant(document["created_at"]),
        created_by=document["created_by"],
    )


def event_document(event: Event) -> Document:
    """All fields."""
    return {
        "_id": event.id,
        "subject": event.subject,
        "sequence": event.sequence,
        "reseller_id": event.reseller_id,
        "is_test": event.is_test,
        "body": orjson.dumps(event_body(event)).decode(),
        "at": ms(event.at),
    }


def stored_event(document: Mapping[str, Any]) -> Event:
    """What `event_document` has made."""
    fields = {name: document[name] for name in ("subject", "sequence", "reseller_id", "is_test")}
    fields |= {"id": document["_id"], "at": instant(document["at"])}
    return event_of(fields, orjson.loads(document["body"]))


def delivery_document(delivery: Delivery) -> Document:
    """All fields of one that nothing is queued behind."""
    return {
        "_id": delivery.id,
        "subscription_id": delivery.subscription_id,
        "event_id": delivery.event_id,
        "type": delivery.type.value,
        "subject": delivery.subject,
        "sequence": delivery.sequence,
        "data": orjson.dumps(dict(delivery.data)).decode(),
        "state": delivery.state.value,
        "first": True if delivery.state is DeliveryState.PENDING else None,
        "attempts": delivery.attempts,
        "due_at": ms(delivery.due_at),
        "until": ms(delivery.until),
        "status_code": delivery.status_code,
        "error": delivery.error,
        "milliseconds": delivery.milliseconds,
        "created_at": ms(delivery.created_at),
        "finished_at": ms(delivery.finished_at),
        "changes": 0,
    }


def delivery_of(document: Mapping[str, Any]) -> Delivery:
    """What `delivery_document` has made."""
    return Delivery(
        id=document["_id"],
        subscription_id=document["subscription_id"],
        event_id=document["event_id"],
        type=EventType(document["type"]),
        subject=document["subject"],
        sequence=document["sequence"],
        data=orjson.loads(document["data"]),
        state=DeliveryState(document["state"]),
        attempts=document["attempts"],
        due_at=instant(document["due_at"]),
        until=instant(document["until"]),
        status_code=document["status_code"],
        error=document["error"],
        milliseconds=document["milliseconds"],
        created_at=instant(document["created_at"]),
        finished_at=instant(document["finished_at"]),
    )
