"""Subscriptions to webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import request

from common.auth.policy import Caller, bearer
from common.web.api import Api
from common.web.etag import etag, require_if_match
from common.web.idempotency import Idempotency
from common.web.paging import page_of
from common.web.problems import problem
from ticketing_service.actions import webhooks
from ticketing_service.actions.webhooks import ChangeSubscription, CreateSubscription, RenewSecret
from ticketing_service.domain.webhooks import Subscription
from ticketing_service.routes.calling import PREFIX, RESELLER_KIND, PortsSource, keyed, webhook_owner
from ticketing_service.routes.resellers import ADMINISTRATORS
from ticketing_service.schemas.documents import page_document, rendered
from ticketing_service.schemas.values import Paged
from ticketing_service.schemas.webhooks import (
    NewSecretOut,
    SubscriptionIn,
    SubscriptionOut,
    SubscriptionPatch,
    subscription_document,
)

OWNERS = bearer(RESELLER_KIND) | ADMINISTRATORS
_UNKNOWN = ("SUBSCRIPTION_NOT_FOUND",)
_ONE = "/<uuid:subscription_id>"


def webhooks_api(ports: PortsSource) -> Api:
    api = Api("webhook-subscriptions", f"{PREFIX}/webhook-subscriptions")

    def with_secret(document: Mapping[str, Any]) -> dict[str, str]:
        number = document["secrets"][0]["number"]
        return {"secret": webhooks.secret_of(UUID(document["id"]), number, ports())}

    @api.route(
        "GET", "", who=OWNERS, query=Paged, answer=page_of(SubscriptionOut),
        summary="All subscriptions to webhooks, a reseller its own, newest first",
    )  # fmt: skip
    def find(query: dict[str, Any], caller: Caller) -> bytes:
        page = webhooks.find_subscriptions(webhook_owner(caller), query["limit"], query["cursor"], ports())
        return rendered(page_document(page, [subscription_document(each) for each in page.items]))

    @api.route(
        "POST", "", who=OWNERS, body=SubscriptionIn, answer=NewSecretOut, status=201,
        idempotency="accepted", answer_suffix=with_secret,
        problems=("WEBHOOK_URL_NOT_ALLOWED", "RESELLER_NOT_FOUND", "TOO_MANY_SUBSCRIPTIONS"),
        summary="Subscribe to webhooks; the secret is shown this once",
    )  # fmt: skip
    def create(body: dict[str, Any], caller: Caller, idempotency: Idempotency | None) -> Any:
        owner = webhook_owner(caller)
        if owner is not None and body["reseller_id"] not in (None, owner.reseller_id):
            raise problem("FORBIDDEN", "A reseller subscribes for itself.")
        command = CreateSubscription(
            **body, owner=owner, actor=caller.principal, idempotency=keyed(idempotency, _created)
        )
        return _created(webhooks.create_subscription(command, ports()))

    @api.route("GET", _ONE, who=OWNERS, answer=SubscriptionOut, problems=_UNKNOWN, summary="One subscription")
    def read(subscription_id: UUID, caller: Caller) -> Any:
        return _written(webhooks.find_subscription(subscription_id, webhook_owner(caller), ports()))

    @api.route(
        "PATCH", _ONE, who=OWNERS, body=SubscriptionPatch, answer=SubscriptionOut, if_match=True,
        problems=(*_UNKNOWN, "VERSION_CONFLICT", "WEBHOOK_URL_NOT_ALLOWED"),
        summary="Change a subscription; its endpoint is tried at once",
    )  # fmt: skip
    def change(subscription_id: UUID, body: dict[str, Any], caller: Caller) -> Any:
        command = ChangeSubscription(
            subscription_id=subscription_id,
            expected_version=require_if_match(request.headers),
            changes=body,
            owner=webhook_owner(caller),
        )
        return _written(webhooks.change_subscription(command, ports()))

    @api.route(
        "DELETE", _ONE, who=OWNERS, status=204, if_match=True, problems=(*_UNKNOWN, "VERSION_CONFLICT"),
        summary="End a subscription; what is on its way is not sent any more",
    )  # fmt: skip
    def delete(subscription_id: UUID, caller: Caller) -> None:
        version = require_if_match(request.headers)
        webhooks.delete_subscription(subscription_id, version, webhook_owner(caller), ports())

    @api.route(
        "POST", f"{_ONE}/secret", who=OWNERS, answer=NewSecretOut, if_match=True, idempotency="accepted",
        answer_suffix=with_secret, problems=(*_UNKNOWN, "VERSION_CONFLICT"),
        summary="Renew the secret; the one before signs beside it for a day",
    )  # fmt: skip
    def renew(subscription_id: UUID, caller: Caller, idempotency: Idempotency | None) -> Any:
        command = RenewSecret(
            subscription_id=subscription_id,
            expected_version=require_if_match(request.headers),
            owner=webhook_owner(caller),
            idempotency=keyed(idempotency, _written),
        )
        return _written(webhooks.renew_secret(command, ports()))

    return api


def _written(subscription: Subscription) -> tuple[bytes, dict[str, str]]:
    return rendered(subscription_document(subscription)), {"ETag": etag(subscription.version)}


def _created(subscription: Subscription) -> tuple[bytes, dict[str, str]]:
    document, headers = _written(subscription)
    return document, {**headers, "Location": f"{PREFIX}/webhook-subscriptions/{subscription.id}"}
