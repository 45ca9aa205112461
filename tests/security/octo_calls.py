"""Calls of a reseller over OCTO."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from tests.http.ticketing.shop import Shop
from tests.security.plain_calls import Call

CONTACT = {
    "fullName": "Ann Lee", "firstName": "Ann", "lastName": "Lee", "emailAddress": "ann@example.org",
    "phoneNumber": "+31 15 1234567", "locales": ["nl", "en"], "postalCode": "2611", "country": "NL",
    "notes": "-",
}  # fmt: skip
_BOOKING = "/octo/bookings/<uuid>"


def octo_calls(
    shop: Shop, ticket: dict[str, Any], slot: dict[str, Any], key: str
) -> dict[str, Callable[[], Call]]:
    option = ticket["options"][0]
    unit_id = option["units"][0]["id"]
    which = {"productId": ticket["id"], "optionId": option["id"]}
    asked = {**which, "units": [{"id": unit_id, "quantity": 1}], "currency": "EUR"}
    days = {"localDateStart": "2026-07-01", "localDateEnd": "2026-07-04"}

    def call(method: str, path: str, **more: Any) -> Call:
        return Call(method=method, path=f"/octo{path}", token=key, **more)

    def unit_item() -> dict[str, Any]:
        return {"uuid": str(uuid.uuid4()), "unitId": unit_id, "resellerReference": "U", "contact": CONTACT}

    def order() -> dict[str, Any]:
        return {
            **which,
            "uuid": str(uuid.uuid4()),
            "availabilityId": slot["id"],
            "expirationMinutes": 10,
            "notes": "by the door",
            "unitItems": [unit_item()],
            "resellerReference": "V",
            "contact": CONTACT,
            "currency": "EUR",
            "emailReceipt": False,
        }

    def held() -> str:
        made = shop.call("POST", "/octo/bookings", order(), token=key)
        assert made.status_code == 200, made.json
        return f"/bookings/{made.json['uuid']}"

    def changes() -> dict[str, Any]:
        made = order()
        del made["uuid"], made["currency"], made["expirationMinutes"]
        return made

    def confirmation() -> dict[str, Any]:
        told = ("unitItems", "resellerReference", "contact", "emailReceipt")
        return {name: value for name, value in order().items() if name in told}

    webhook = {"event": "booking_update", "url": "https://hooks.example.org/in"}

    def new_webhook() -> str:
        # nobody has more than a few: those that earlier calls have made go
        for each in shop.call("GET", "/octo/webhooks", token=key).json:
            assert shop.call("DELETE", f"/octo/webhooks/{each['id']}", token=key).status_code == 200
        made = shop.call("POST", "/octo/webhooks", webhook, token=key)
        assert made.status_code == 200, made.json
        return f"/webhooks/{made.json['id']}"

    def subscription() -> Call:
        new_webhook()
        return call("POST", "/webhooks", body=webhook)

    # made once: most of what is sent to them is refused, and the rest may be repeated
    standing, confirmed = held(), held()
    sold = shop.call("POST", f"/octo{confirmed}/confirm", {"contact": CONTACT}, token=key)
    assert sold.status_code == 200, sold.json
    voucher, _, token = sold.json["voucher"]["deliveryOptions"][-1]["deliveryValue"].partition("?dl=")
    pdf = voucher.partition("/api/v1/octo")[2]
    return {
        "GET /octo/supplier": lambda: call("GET", "/supplier"),
        "GET /octo/capabilities": lambda: call("GET", "/capabilities"),
        "GET /octo/products": lambda: call("GET", "/products"),
        "GET /octo/products/<product_id>": lambda: call("GET", f"/products/{ticket['id']}"),
        "POST /octo/availability": lambda: call(
            "POST",
            "/availability",
            body={**asked, **days, "localDate": "2026-07-02", "availabilityIds": [slot["id"]]},
        ),
        "POST /octo/availability/calendar": lambda: call(
            "POST", "/availability/calendar", body={**asked, **days}
        ),
        "POST /octo/bookings": lambda: call("POST", "/bookings", body=order()),
        "GET /octo/bookings": lambda: call(
            "GET",
            "/bookings",
            query={
                "resellerReference": "V",
                "supplierReference": sold.json["supplierReference"],
                "localDate": "2026-07-02",
                "localDateStart": "2026-07-01",
                "localDateEnd": "2026-07-04",
            },
        ),
        f"GET {_BOOKING}": lambda: call("GET", confirmed),
        f"PATCH {_BOOKING}": lambda: call("PATCH", standing, body=changes()),
        f"POST {_BOOKING}/confirm": lambda: call("POST", f"{confirmed}/confirm", body=confirmation()),
        f"POST {_BOOKING}/extend": lambda: call("POST", f"{held()}/extend", body={"expirationMinutes": 30}),
        f"POST {_BOOKING}/cancel": lambda: call("POST", f"{held()}/cancel", body={"reason": "rain"}),
        "GET /octo/webhooks": lambda: call("GET", "/webhooks"),
        "POST /octo/webhooks": subscription,
        "DELETE /octo/webhooks/<webhook_id>": lambda: call("DELETE", new_webhook()),
        "GET /octo/bookings/<uuid:booking_id>/voucher.pdf": lambda: Call(
            method="GET", path=f"/octo{pdf}", query={"dl": token}
        ),
    }
