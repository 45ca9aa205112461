"""Webhooks, as OCTO subscribes to them: subscriptions like all others, which are told in OCTO's shapes."""

from __future__ import annotations

from typing import Any

from common.auth.policy import Caller
from common.web.api import Api
from ticketing_service.actions import webhooks
from ticketing_service.actions.webhooks import MOST_SUBSCRIPTIONS, CreateSubscription
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.resellers import Scope
from ticketing_service.domain.webhooks import Subscription
from ticketing_service.routes.calling import PortsSource, webhook_owner
from ticketing_service.routes.octo.calling import OCTO, PREFIX, WHO, Answer, answered, asked_by, seller_of
from ticketing_service.schemas.octo.capabilities import Capability
from ticketing_service.schemas.octo.requests import identifier
from ticketing_service.schemas.octo.webhooks import EVENTS, WebhookIn, webhook_document


def octo_webhooks_api(ports: PortsSource) -> Api:
    api = Api("octo_webhooks", PREFIX, tag="octo", dialect=OCTO)

    @api.route("GET", "/webhooks", who=WHO, summary="The webhooks that were made over OCTO, newest first")
    def find(caller: Caller) -> Answer:
        asked = asked_by(seller_of(caller, Scope.WEBHOOKS).reseller)
        page = webhooks.find_subscriptions(webhook_owner(caller), MOST_SUBSCRIPTIONS, None, ports())
        return answered([webhook_document(each) for each in page.items if each.octo is not None], asked)

    @api.route(
        "POST", "/webhooks", who=WHO, body=WebhookIn,
        summary="Be told of changes; the secret that signs them is shown this once",
    )  # fmt: skip
    def create(body: dict[str, Any], caller: Caller) -> Answer:
        asked = asked_by(seller_of(caller, Scope.WEBHOOKS).reseller)
        command = CreateSubscription(
            url=body["url"],
            events=(EVENTS[body["event"]],),
            owner=webhook_owner(caller),
            octo=tuple(each for each in Capability if each in asked.used),
            actor=caller.principal,
        )
        made = webhooks.create_subscription(command, ports())
        secret = webhooks.secret_of(made.id, made.secrets[0].number, ports())
        return answered({**webhook_document(made), "secret": secret}, asked)

    @api.route("DELETE", "/webhooks/<webhook_id>", who=WHO, summary="End a webhook")
    def delete(webhook_id: str, caller: Caller) -> Answer:
        asked = asked_by(seller_of(caller, Scope.WEBHOOKS).reseller)
        found = _named(webhook_id, caller)
        webhooks.delete_subscription(found.id, found.version, webhook_owner(caller), ports())
        return answered(webhook_document(found), asked)

    def _named(webhook_id: str, caller: Caller) -> Subscription:
        subscription_id = identifier(webhook_id)
        if subscription_id is not None:
            found = webhooks.find_subscription(subscription_id, webhook_owner(caller), ports())
            if found.octo is not None:
                return found
        raise Refused(Code.SUBSCRIPTION_NOT_FOUND)

    return api
