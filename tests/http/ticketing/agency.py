"""A reseller, and what it sells."""

from __future__ import annotations

from typing import Any

from tests.http.ticketing.shop import Reply, Shop

ADMIN: dict[str, Any] = {"role": "platform_admin"}
BOTH = ["bookings:read", "bookings:write"]
LAST = "2026-07-04"


class Agency:
    """A reseller with a key."""

    def __init__(self, shop: Shop, name: str = "City Trips", **terms: Any) -> None:
        self.shop = shop
        made = shop.call("POST", "/resellers", {"name": name, **terms}, **ADMIN)
        assert made.status_code == 201, made.json
        self.id, self.path, self.made = made.json["id"], f"/resellers/{made.json['id']}", made.json
        self.key: str = self.new_key().json["key"]

    def new_key(self, **changes: Any) -> Reply:
        body = {"name": "k", "scopes": BOTH, "expiresAt": "2026-08-01T00:00:00Z", **changes}
        return self.shop.call("POST", f"{self.path}/keys", body, **ADMIN)

    def change(self, **changes: Any) -> Reply:
        tag = self.shop.call("GET", self.path, **ADMIN).headers["ETag"]
        return self.shop.call("PATCH", self.path, changes, headers={"If-Match": tag}, **ADMIN)

    def credit(self) -> int:
        """What it owes in all, in cents."""
        (account,) = self.shop.call("GET", self.path, **ADMIN).json["credit"]
        return amount(account["used"])

    def call(self, method: str, path: str, body: Any = None, **how: Any) -> Reply:
        return self.shop.call(method, path, body, token=self.key, **how)

    def hold(self, *items: dict[str, Any], **more: Any) -> Reply:
        return self.shop.hold(*items, token=self.key, **more)


def priced_slots(shop: Shop, price: int = 0, **rule: Any) -> list[dict[str, Any]]:
    unit = {"type": "ADULT", "title": {"en": "Adult"}, "price": {"amount": price, "currency": "EUR"}}
    options = [{"title": {"en": "Standard"}, "default": True, "units": [unit]}]
    return shop.slots(shop.ticket(options=options), dateTo=LAST, **rule)


def amount(money: dict[str, Any]) -> int:
    assert money["currency"] == "EUR"
    return int(money["amount"])
