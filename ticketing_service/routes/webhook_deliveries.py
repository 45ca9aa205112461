"""What was delivered of webhooks, and what was not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from common.auth.policy import Caller
from common.web.api import Api
from common.web.paging import page_of
from ticketing_service.actions import webhooks
from ticketing_service.routes.calling import PREFIX, PortsSource, webhook_owner
from ticketing_service.routes.webhooks import OWNERS
from ticketing_service.schemas.documents import page_document, rendered
from ticketing_service.schemas.webhooks import DeliveriesQuery, DeliveryOut, delivery_document

_UNKNOWN = ("SUBSCRIPTION_NOT_FOUND",)
_ONE = "/<uuid:subscription_id>"


def webhook_deliveries_api(ports: PortsSource) -> Api:
    api = Api("webhook-deliveries", f"{PREFIX}/webhook-subscriptions")

    @api.route(
        "GET", f"{_ONE}/deliveries", who=OWNERS, query=DeliveriesQuery, answer=page_of(DeliveryOut),
        problems=_UNKNOWN, summary="What was delivered, and what not, newest first",
    )  # fmt: skip
    def find_deliveries(subscription_id: UUID, query: dict[str, Any], caller: Caller) -> bytes:
        page = webhooks.find_deliveries(
            subscription_id, query["state"], webhook_owner(caller), query["limit"], query["cursor"], ports()
        )
        return rendered(page_document(page, [delivery_document(each) for each in page.items]))

    @api.route(
        "POST", f"{_ONE}/deliveries/<uuid:delivery_id>/replay", who=OWNERS, answer=DeliveryOut,
        problems=(*_UNKNOWN, "DELIVERY_NOT_FOUND", "DELIVERY_NOT_DEAD"),
        summary="Try a delivery again that was given up",
    )  # fmt: skip
    def replay(subscription_id: UUID, delivery_id: UUID, caller: Caller) -> bytes:
        owner = webhook_owner(caller)
        delivery = webhooks.replay_delivery(subscription_id, delivery_id, owner, ports())
        return rendered(delivery_document(delivery))

    return api
