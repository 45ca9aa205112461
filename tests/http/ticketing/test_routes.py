"""Every route: who may call it, and that it is what the API says of itself."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from common.web.api import operations_of, unguarded_rules
from common.web.operations import Operation
from tests.http.ticketing.shop import Shop, refusal

ALL_ROLES = ("ticket_manager", "finance", "support", "gate", "reviewer")


def address(operation: Operation) -> str:
    """An address of the route, with ids of nothing."""
    return re.sub(r"<[^>]+>", str(uuid.uuid4()), operation.rule).removeprefix("/api/v1")


def test_no_route_is_without_a_policy(shop: Shop) -> None:
    assert unguarded_rules(shop.app) == []


def test_without_a_token_a_guarded_route_answers_401(shop: Shop) -> None:
    guarded = [each for each in operations_of(shop.app) if not each.who.guests and each.who.proof is None]
    assert len(guarded) > 20
    for operation in guarded:
        answer = shop.call(operation.method, address(operation))
        assert refusal(answer) == (401, "UNAUTHENTICATED"), operation.rule
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_another_role_is_refused_or_told_that_there_is_nothing(shop: Shop) -> None:
    body = {"reason": "x", "code": "x"}
    for operation in operations_of(shop.app):
        if operation.who.guests or operation.who.proof is not None:
            continue
        for role in ALL_ROLES:
            if role in operation.who.roles:
                continue
            sent: dict[str, Any] | None = body if operation.body is not None else None
            if sent is not None and operation.rule.startswith("/api/v1/octo/"):
                sent = {"unitItems": [{"unitId": "x"}], "event": "booking_update", "url": "https://x.example"}
            answer = shop.call(operation.method, address(operation), sent, role=role)
            if "access" in operation.who.kinds:
                # Its customer's token is an access token too: for all others there is no such booking.
                assert answer.status_code in (404, 422), operation.rule
            else:
                assert refusal(answer) == (403, "FORBIDDEN"), (operation.rule, role)


@pytest.mark.parametrize("token", ["bkt_", "bkt_AAAA", "a.b.c", "apk_x", "x" * 5000])
def test_a_token_that_is_not_good_is_401_everywhere(shop: Shop, token: str) -> None:
    assert refusal(shop.call("GET", "/tickets", token=token)) == (401, "TOKEN_INVALID")


def test_openapi_lists_exactly_the_routes(shop: Shop) -> None:
    document = shop.call("GET", "/openapi.json").json
    listed = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    served = {
        (operation.method, re.sub(r"<(?:\w+:)?(\w+)>", r"{}", operation.rule))
        for operation in operations_of(shop.app)
    }
    assert {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in listed} == served
    assert document["openapi"].startswith("3.1")


def test_the_pages_beside_the_api_are_served(shop: Shop) -> None:
    assert shop.call("GET", "/docs").status_code == 200
    assert shop.call("GET", "/monitoring/live").status_code == 200
    assert shop.call("GET", "/monitoring/info").json["service"] == "ticketing-module"
