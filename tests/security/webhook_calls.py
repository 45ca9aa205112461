"""Calls of those who subscribe to webhooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.http.ticketing.shop import Shop
from tests.security.bodies import subscription_body
from tests.security.plain_calls import Call
from ticketing_service.domain.webhooks import Delivery, EventType, Outcome


def webhook_calls(shop: Shop, reseller: dict[str, Any], token: str) -> dict[str, Callable[[], Call]]:
    """Each on the subscription of a reseller that was made for it."""
    where = "/webhook-subscriptions"
    one = f"{where}/<uuid:subscription_id>"
    body = subscription_body(resellerId=reseller["id"])

    def call(method: str, path: str, **more: Any) -> Call:
        return Call(method=method, path=path, token=token, **more)

    def new() -> tuple[str, dict[str, str]]:
        _make_room(shop, token)
        made = shop.call("POST", where, body, token=token)
        assert made.status_code == 201, made.json
        return f"{where}/{made.json['id']}", {"If-Match": made.headers["ETag"]}

    def tagged(method: str, beneath: str = "", **more: Any) -> Call:
        path, tag = new()
        return call(method, path + beneath, headers=tag, **more)

    def replay() -> Call:
        path, _ = new()
        return call("POST", f"{path}/deliveries/{_dead(shop, UUID(path.rpartition('/')[2]))}/replay")

    query = {"state": "dead", "limit": "5"}
    return {
        f"GET {where}": lambda: call("GET", where, query={"limit": "5"}),
        f"POST {where}": lambda: _with_room(shop, call("POST", where, body=body)),
        f"GET {one}": lambda: call("GET", new()[0]),
        f"PATCH {one}": lambda: tagged("PATCH", body=subscription_body()),
        f"DELETE {one}": lambda: tagged("DELETE"),
        f"POST {one}/secret": lambda: tagged("POST", "/secret"),
        f"GET {one}/deliveries": lambda: call("GET", f"{new()[0]}/deliveries", query=query),
        f"POST {one}/deliveries/<uuid:delivery_id>/replay": replay,
    }


def _with_room(shop: Shop, call: Call) -> Call:
    assert call.token is not None
    _make_room(shop, call.token)
    return replace(call)


def _make_room(shop: Shop, token: str) -> None:
    """Nobody has more than a few: those that earlier calls have made go."""
    for each in shop.call("GET", "/webhook-subscriptions?limit=100", token=token).json["data"][2:]:
        path, tag = f"/webhook-subscriptions/{each['id']}", {"If-Match": f'"{each["version"]}"'}
        assert shop.call("DELETE", path, token=token, headers=tag).status_code == 204


def _dead(shop: Shop, subscription_id: UUID) -> UUID:
    """A delivery of the subscription that was given up."""
    store, now = shop.ports.store.webhooks, shop.clock()
    shop.ticket(title={"en": "Told of"})
    store.spread(now, 10_000)
    claimed = store.claim(subscription_id, now, now + timedelta(minutes=1), 10_000)
    given_up: Delivery = next(each for each in claimed if each.type is EventType.PRODUCT)
    store.settle(given_up, Outcome(delivered=False, error="nobody there"), now)
    return given_up.id
