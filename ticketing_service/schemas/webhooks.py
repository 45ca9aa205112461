"""Subscriptions to webhooks, and what was delivered: what comes in and what goes out."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from common.outgoing.posting import MAX_URL
from common.web.schemas import ApiSchema, Instant, YesNo, instant_text
from ticketing_service.domain.webhooks import Delivery, DeliveryState, EventType, Subscription
from ticketing_service.schemas.documents import Document
from ticketing_service.schemas.values import Paged


class SubscriptionPatch(ApiSchema):
    """What is named changes. `events`: what to be told of. One that is not `active` is told nothing."""

    url = fields.String(validate=validate.Length(1, MAX_URL))
    events = fields.List(fields.Enum(EventType, by_value=True), validate=validate.Length(1, len(EventType)))
    active = YesNo()

    @post_load
    def changes(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "events" in values:
            values["events"] = tuple(event for event in EventType if event in values["events"])
        return values


class SubscriptionIn(SubscriptionPatch):
    """A subscription. `resellerId`, from administrators alone: whose it is; without one it is the
    destination's own.
    """

    url = fields.String(required=True, validate=validate.Length(1, MAX_URL))
    events = fields.List(
        fields.Enum(EventType, by_value=True), required=True, validate=validate.Length(1, len(EventType))
    )
    active = YesNo(load_default=True)
    reseller_id = fields.UUID(load_default=None, allow_none=True)


class SecretOut(ApiSchema):
    """`until`: it signs beside the newest one until then."""

    number = fields.Integer(required=True)
    until = Instant(required=True, allow_none=True)


class EndpointOut(ApiSchema):
    """The breaker of the endpoint: failures in a row, and until when nothing is sent after too many."""

    state = fields.String(required=True, validate=validate.OneOf(("closed", "open")))
    failures = fields.Integer(required=True)
    next_attempt_at = Instant(required=True, allow_none=True)
    last_error = fields.String(required=True, allow_none=True)
    last_failure_at = Instant(required=True, allow_none=True)


class SubscriptionOut(ApiSchema):
    """`octo`: the capabilities with which one is told that was made over OCTO; of all others null."""

    id = fields.UUID(required=True)
    reseller_id = fields.UUID(required=True, allow_none=True)
    is_test = fields.Boolean(required=True)
    url = fields.String(required=True)
    events = fields.List(fields.String(), required=True)
    secrets = fields.List(fields.Nested(SecretOut), required=True)
    octo = fields.List(fields.String(), required=True, allow_none=True)
    active = fields.Boolean(required=True)
    endpoint = fields.Nested(EndpointOut, required=True)
    version = fields.Integer(required=True)
    created_at = Instant(required=True)
    created_by = fields.String(required=True)


class NewSecretOut(SubscriptionOut):
    """`secret` is shown this once: what verifies signatures."""

    secret = fields.String(required=True)


class DeliveriesQuery(Paged):
    """`state`: those alone that wait, are pending, delivered or dead."""

    state = fields.Enum(DeliveryState, by_value=True, load_default=None)


class DeliveryOut(ApiSchema):
    """`id` is the `webhook-id` that is sent. `subjectId`: the booking, slot or ticket that it tells of."""

    id = fields.UUID(required=True)
    type = fields.String(required=True)
    subject_id = fields.UUID(required=True)
    data = fields.Dict(required=True)
    state = fields.String(required=True)
    attempts = fields.Integer(required=True)
    next_attempt_at = Instant(required=True, allow_none=True)
    expires_at = Instant(required=True)
    status_code = fields.Integer(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    duration_ms = fields.Integer(required=True, allow_none=True)
    created_at = Instant(required=True)
    finished_at = Instant(required=True, allow_none=True)


def subscription_document(subscription: Subscription) -> Document:
    """As `SubscriptionOut` says."""
    health = subscription.health
    return {
        "id": subscription.id,
        "resellerId": subscription.reseller_id,
        "isTest": subscription.is_test,
        "url": subscription.url,
        "events": subscription.events,
        "secrets": [{"number": each.number, "until": _text(each.until)} for each in subscription.secrets],
        "octo": subscription.octo,
        "active": subscription.active,
        "endpoint": {
            "state": "open" if health.is_open else "closed",
            "failures": health.failures,
            "nextAttemptAt": _text(health.closed_until),
            "lastError": health.last_error,
            "lastFailureAt": _text(health.last_failure_at),
        },
        "version": subscription.version,
        "createdAt": instant_text(subscription.created_at),
        "createdBy": subscription.created_by,
    }


def delivery_document(delivery: Delivery) -> Document:
    """As `DeliveryOut` says."""
    return {
        "id": delivery.id,
        "type": delivery.type,
        "subjectId": delivery.subject,
        "data": delivery.data,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "nextAttemptAt": _text(delivery.due_at),
        "expiresAt": instant_text(delivery.until),
        "statusCode": delivery.status_code,
        "error": delivery.error,
        "durationMs": delivery.milliseconds,
        "createdAt": instant_text(delivery.created_at),
        "finishedAt": _text(delivery.finished_at),
    }


def _text(moment: Any) -> str | None:
    return None if moment is None else instant_text(moment)
