"""Calls of those who administer resellers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.http.ticketing.shop import Shop
from tests.security.bodies import reseller_body, reseller_key_body
from tests.security.plain_calls import Call


def made_reseller(shop: Shop, token: str) -> tuple[dict[str, Any], str]:
    """A reseller, and a key of it."""
    # the same holds stand for as long as the stage does
    terms = {"maxHolds": 10_000, "credit": [{"currency": "EUR", "limit": 100_000_000}]}
    reseller = shop.call("POST", "/resellers", {**reseller_body(), **terms}, token=token).json
    key = shop.call("POST", f"/resellers/{reseller['id']}/keys", reseller_key_body(), token=token)
    assert key.status_code == 201, key.json
    return reseller, key.json["key"]


def reseller_calls(shop: Shop, reseller: dict[str, Any], token: str) -> dict[str, Callable[[], Call]]:
    path = f"/resellers/{reseller['id']}"
    one, keys = "/resellers/<uuid:reseller_id>", "/resellers/<uuid:reseller_id>/keys"

    def call(method: str, where: str, **more: Any) -> Call:
        return Call(method=method, path=where, token=token, **more)

    def tag() -> dict[str, str]:
        return {"If-Match": shop.call("GET", path, token=token).headers["ETag"]}

    def new_key() -> str:
        made = shop.call("POST", f"{path}/keys", reseller_key_body(), token=token)
        return str(made.json["id"])

    return {
        "GET /resellers": lambda: call("GET", "/resellers", query={"limit": "5"}),
        "POST /resellers": lambda: call("POST", "/resellers", body=reseller_body()),
        f"GET {one}": lambda: call("GET", path),
        f"PATCH {one}": lambda: call("PATCH", path, body=reseller_body(), headers=tag()),
        f"GET {keys}": lambda: call("GET", f"{path}/keys", query={"limit": "5"}),
        f"POST {keys}": lambda: call("POST", f"{path}/keys", body=reseller_key_body()),
        f"DELETE {keys}/<uuid:key_id>": lambda: call("DELETE", f"{path}/keys/{new_key()}"),
    }
