"""Subscriptions and deliveries as rows, and back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_

from ticketing_service.domain.webhooks import (
    Delivery,
    DeliveryState,
    EventType,
    Health,
    Subscription,
)
from ticketing_service.storage.records.webhooks import secrets_document, secrets_of
from ticketing_service.storage.sql import schema

_subscriptions = schema.webhook_subscriptions
THERE = _subscriptions.c.deleted_at.is_(None)
ACTIVE = and_(THERE, _subscriptions.c.active.is_(True))


def subscription_row(subscription: Subscription) -> dict[str, Any]:
    """All columns but `deleted_at`."""
    return {
        "id": subscription.id,
        "reseller_id": subscription.reseller_id,
        "is_test": subscription.is_test,
        "url": subscription.url,
        "events": [each.value for each in subscription.events],
        "secrets": secrets_document(subscription.secrets),
        "octo": None if subscription.octo is None else list(subscription.octo),
        "active": subscription.active,
        **health_row(subscription.health),
        "version": subscription.version,
        "created_at": subscription.created_at,
        "created_by": subscription.created_by,
    }


def health_row(health: Health) -> dict[str, Any]:
    """The columns of the endpoint's breaker."""
    return {
        "failures": health.failures,
        "openings": health.openings,
        "closed_until": health.closed_until,
        "last_error": health.last_error,
        "last_failure_at": health.last_failure_at,
    }


def subscription_of(row: Any) -> Subscription:
    """What `subscription_row` has made."""
    return Subscription(
        id=row.id,
        reseller_id=row.reseller_id,
        is_test=row.is_test,
        url=row.url,
        events=tuple(map(EventType, row.events)),
        secrets=secrets_of(row.secrets),
        octo=None if row.octo is None else tuple(row.octo),
        active=row.active,
        health=Health(
            failures=row.failures,
            openings=row.openings,
            closed_until=row.closed_until,
            last_error=row.last_error,
            last_failure_at=row.last_failure_at,
        ),
        version=row.version,
        created_at=row.created_at,
        created_by=row.created_by,
    )


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """All columns."""
    return {
        "id": delivery.id,
        "subscription_id": delivery.subscription_id,
        "event_id": delivery.event_id,
        "type": delivery.type.value,
        "subject": delivery.subject,
        "sequence": delivery.sequence,
        "data": dict(delivery.data),
        "state": delivery.state.value,
        "first": True if delivery.state is DeliveryState.PENDING else None,
        "attempts": delivery.attempts,
        "due_at": delivery.due_at,
        "until": delivery.until,
        "status_code": delivery.status_code,
        "error": delivery.error,
        "milliseconds": delivery.milliseconds,
        "created_at": delivery.created_at,
        "finished_at": delivery.finished_at,
    }


def delivery_of(row: Any) -> Delivery:
    """What `delivery_row` has made."""
    return Delivery(
        id=row.id,
        subscription_id=row.subscription_id,
        event_id=row.event_id,
        type=EventType(row.type),
        subject=row.subject,
        sequence=row.sequence,
        data=row.data,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        due_at=row.due_at,
        until=row.until,
        status_code=row.status_code,
        error=row.error,
        milliseconds=row.milliseconds,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
