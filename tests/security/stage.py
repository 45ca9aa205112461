"""A sale at each of its stages, and for every route a call that is meant well."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.http.ticketing.shop import API, CUSTOMER, MUSEUM, TOWER, Reply, Shop, item
from tests.sandbox.running import SECRET, SandboxProcess
from tests.security.bodies import full_ticket, same_parts, voucher_body
from tests.security.digest import Watch
from tests.security.octo_calls import octo_calls
from tests.security.plain_calls import Call, internal_calls, plain_calls
from tests.security.reseller_calls import made_reseller, reseller_calls
from tests.security.webhook_calls import webhook_calls

__all__ = ["LAST_DAY", "ROLES", "Call", "Stage", "route_name", "signed"]

ROLES = (
    "platform_admin", "poi_owner", "editor", "reviewer", "ticket_manager", "finance", "support", "gate",
    "operator", "reseller", "customer",
)  # fmt: skip
LAST_DAY = "2026-07-04"


class Stage:
    """A shop with two tickets, a booking on hold, a paid one, somebody else's, admissions and a voucher."""

    def __init__(self, shop: Shop, sandbox: SandboxProcess, url: str) -> None:
        self.shop, self.url, self.watch = shop, url, Watch(url)
        self.ticket, self.other_ticket = shop.ticket(), shop.ticket(title={"en": "Mill"})
        self.slots = shop.slots(self.ticket, dateTo=LAST_DAY)
        self.other_slots = shop.slots(self.other_ticket, dateTo=LAST_DAY)
        self.paid = shop.paid(sandbox, item(self.slots[1], 2))
        self.held = shop.hold(item(self.slots[0]), customer={**CUSTOMER, "email": "b@example.org"}).json
        foreign = {**CUSTOMER, "name": "Bo Stranger", "email": "bo@example.org"}
        self.foreign = shop.hold(item(self.other_slots[0]), customer=foreign).json
        self.owner = self.token("customer", subject="owner")
        self.owned = shop.hold(item(self.other_slots[1]), token=self.owner).json
        path = f"/bookings/{self.paid['id']}"
        self.admissions = shop.call("GET", f"{path}/admissions", token=self.paid["accessToken"]).json["data"]
        voucher = shop.call("POST", "/vouchers", voucher_body("SUMMER"), role="ticket_manager")
        assert voucher.status_code == 201, voucher.json
        self.voucher = voucher.json
        self.reseller, _ = made_reseller(shop, self.token("platform_admin"))
        # one that nobody changes while it sells
        self.seller, self.reseller_key = made_reseller(shop, self.token("platform_admin"))
        # so many are held there that no call is refused for want of places
        self.octo_ticket = shop.ticket(title={"en": "Harbour"})
        self.octo_slots = shop.slots(self.octo_ticket, capacity=None, dateTo=LAST_DAY)
        self.calls = _calls(self)

    def token(self, role: str, **more: Any) -> str:
        """An access token that outlives the test."""
        return self.shop.issuer.issue(role, ttl=timedelta(days=400), **more)

    def send(self, call: Call, **how: Any) -> Reply:
        """The call as it is; `how` goes to the client, in the place of the body if it brings one."""
        if not how.keys() & {"data", "json"} and call.body is not None:
            how["json"] = call.body
        if call.query:
            how["query_string"] = dict(call.query)
        return self.shop.call(call.method, call.path, headers=dict(call.headers), token=call.token, **how)

    def call(self, name: str) -> Call:
        """The call of the route `name`, such as `GET /tickets`, for its present state."""
        return self.calls[name]()


def signed(stage: Stage, raw: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers of a webhook that says `raw`."""
    stamp = str(int(stage.shop.clock.now.timestamp()))
    code = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    return {"X-Signature": f"t={stamp},v1={code}", "Content-Type": "application/json"}


def _calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    return {
        **_catalogue_calls(stage),
        **_booking_calls(stage),
        **_gate_calls(stage),
        **_operator_calls(stage),
        **plain_calls(),
        **internal_calls(stage.shop),
        **reseller_calls(stage.shop, stage.reseller, stage.token("platform_admin")),
        **octo_calls(stage.shop, stage.octo_ticket, stage.octo_slots[0], stage.reseller_key),
        **webhook_calls(stage.shop, stage.seller, stage.token("platform_admin")),
    }


def _catalogue_calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    manager: dict[str, Any] = {"token": stage.token("ticket_manager")}
    path, slot_path = f"/tickets/{stage.ticket['id']}", f"/slots/{stage.slots[2]['id']}"
    other_path, voucher_path = f"/tickets/{stage.other_ticket['id']}", f"/vouchers/{stage.voucher['id']}"
    search = {
        "q": "tower", "category": "museum", "type": "single", "city": "Delft", "poiId": str(TOWER),
        "near": "52.01,4.36", "radiusKm": "5", "from": "2026-07-01", "to": "2026-07-04", "minPrice": "0",
        "maxPrice": "5000", "sort": "price", "status": "active", "limit": "5", "lang": "en",
    }  # fmt: skip
    option_id = stage.ticket["options"][0]["id"]
    days = {"from": "2026-07-01", "to": "2026-07-04", "optionId": option_id}
    rule = {
        "optionId": stage.other_ticket["options"][0]["id"],
        "rrule": "FREQ=DAILY",
        "dateFrom": "2026-07-01",
        "dateTo": LAST_DAY,
        "openingHours": [{"opens": "09:00", "closes": "18:00"}],
        "capacity": 10,
        "multiplier": 1,
    }
    closure = {"dateFrom": "2026-07-04", "dateTo": "2026-07-04"}
    schedule = {"rules": [rule], "closures": [closure]}
    patched = {name: value for name, value in voucher_body("X").items() if name != "code"}

    def tag(of: str) -> dict[str, str]:
        return {"If-Match": stage.shop.call("GET", of, token=manager["token"]).headers["ETag"]}

    def voucher_tag() -> dict[str, str]:
        """Newest first: those that other tests have made stand before it."""
        where = "/vouchers?limit=100"
        while True:
            page = stage.shop.call("GET", where, token=manager["token"]).json
            for voucher in page["data"]:
                if voucher["id"] == stage.voucher["id"]:
                    return {"If-Match": f'"{voucher["version"]}"'}
            where = f"/vouchers?limit=100&cursor={page['nextCursor']}"

    def new_code() -> dict[str, Any]:
        return voucher_body(f"V-{uuid.uuid4().hex[:20]}")

    def call(method: str, where: str, **more: Any) -> Call:
        return Call(method=method, path=where, **{**manager, **more})

    return {
        "GET /tickets": lambda: call("GET", "/tickets", query=search),
        "GET /tickets/<uuid:ticket_id>": lambda: call("GET", path, query={"lang": "en"}),
        "POST /tickets": lambda: call("POST", "/tickets", body=full_ticket()),
        "PUT /tickets/<uuid:ticket_id>": lambda: call(
            "PUT", other_path, body=same_parts(stage.other_ticket), headers=tag(other_path)
        ),
        "PATCH /tickets/<uuid:ticket_id>": lambda: call(
            "PATCH", path, body={"title": {"en": "Tower"}}, headers=tag(path)
        ),
        "DELETE /tickets/<uuid:ticket_id>": lambda: call("DELETE", other_path, headers=tag(other_path)),
        "GET /tickets/<uuid:ticket_id>/availability": lambda: call("GET", f"{path}/availability", query=days),
        "GET /tickets/<uuid:ticket_id>/schedule": lambda: call("GET", f"{path}/schedule"),
        "PUT /tickets/<uuid:ticket_id>/schedule": lambda: call(
            "PUT", f"{other_path}/schedule", body=schedule
        ),
        "PATCH /slots/<uuid:slot_id>": lambda: call(
            "PATCH", slot_path, body={"capacity": 12, "multiplier": 1.5, "closed": False}
        ),
        "POST /slots/<uuid:slot_id>/cancel": lambda: call(
            "POST", f"{slot_path}/cancel", body={"reason": "x"}
        ),
        "GET /vouchers": lambda: call("GET", "/vouchers", query={"limit": "5"}),
        "POST /vouchers": lambda: call("POST", "/vouchers", body=new_code()),
        "PATCH /vouchers/<uuid:voucher_id>": lambda: call(
            "PATCH", voucher_path, body=patched, headers=voucher_tag()
        ),
    }


def _booking_calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    support = stage.token("support")
    held, paid = f"/bookings/{stage.held['id']}", f"/bookings/{stage.paid['id']}"
    mine: dict[str, Any] = {"token": stage.held["accessToken"]}
    printed: dict[str, Any] = {"token": stage.paid["accessToken"]}
    picture = f"/admissions/{stage.admissions[0]['id']}"
    pay_token = stage.held["payment"]["paymentUrl"].partition("?t=")[2]
    customer = {**CUSTOMER, "phone": "+31 15 1234567"}
    search = {
        "status": "on_hold", "reference": stage.held["reference"], "email": "ann@example.org",
        "ticketId": stage.ticket["id"], "slotId": stage.slots[0]["id"], "limit": "5",
        "createdFrom": "2026-06-01T00:00:00Z", "createdTo": "2026-08-01T00:00:00Z",
        "resellerId": stage.reseller["id"],
    }  # fmt: skip
    order = {"items": [item(stage.slots[3])], "voucherCode": stage.voucher["code"]}
    total = {"amount": 1150, "currency": "EUR"}
    hold = {**order, "customer": customer, "returnUrl": "http://shop.test:3001/x", "expectedTotal": total}
    change = {
        "customer": customer, "items": [item(stage.slots[0])],
        "expectedTotal": {"amount": 1250, "currency": "EUR"},
    }  # fmt: skip
    cancel = {"reason": "ill", "unitItemIds": [stage.paid["items"][0]["units"][0]["id"]], "refundPercent": 50}

    def key() -> dict[str, str]:
        return {"Idempotency-Key": uuid.uuid4().hex}

    def webhook() -> Call:
        body = {"paymentId": "unknown", "resourceId": str(uuid.UUID(int=99))}
        headers = signed(stage, json.dumps(body, separators=(",", ":")).encode())
        return Call(method="POST", path="/webhooks/payment", body=body, headers=headers)

    return {
        "POST /availability/check": lambda: Call(method="POST", path="/availability/check", body=order),
        "POST /bookings": lambda: Call(
            method="POST", path="/bookings", body=hold, headers=key(), token=support
        ),
        "GET /bookings": lambda: Call(method="GET", path="/bookings", query=search, token=support),
        "POST /bookings/lookup": lambda: Call(
            method="POST",
            path="/bookings/lookup",
            body={"email": "ann@example.org", "reference": "K7QF-2MHP"},
        ),
        "GET /bookings/<uuid:booking_id>": lambda: Call(method="GET", path=held, **mine),
        "PATCH /bookings/<uuid:booking_id>": lambda: Call(method="PATCH", path=held, body=change, **mine),
        "POST /bookings/<uuid:booking_id>/extend": lambda: Call(method="POST", path=f"{held}/extend", **mine),
        "POST /bookings/<uuid:booking_id>/cancel": lambda: Call(
            method="POST", path=f"{paid}/cancel", body=cancel, token=support
        ),
        "GET /bookings/<uuid:booking_id>/pay": lambda: Call(
            method="GET", path=f"{held}/pay", query={"t": pay_token}
        ),
        "POST /bookings/<uuid:booking_id>/payment": lambda: Call(
            method="POST", path=f"{held}/payment", **mine
        ),
        "POST /bookings/<uuid:booking_id>/confirm": lambda: Call(
            method="POST", path=f"{held}/confirm", **mine
        ),
        "POST /webhooks/payment": webhook,
        "GET /bookings/<uuid:booking_id>/admissions": lambda: Call(
            method="GET", path=f"{paid}/admissions", query={"lang": "en"}, **printed
        ),
        "GET /bookings/<uuid:booking_id>/admissions.pdf": lambda: Call(
            method="GET", path=f"{paid}/admissions.pdf", **printed
        ),
        "GET /bookings/<uuid:booking_id>/calendar.ics": lambda: Call(
            method="GET", path=f"{paid}/calendar.ics", **printed
        ),
        "GET /admissions/<uuid:admission_id>/qr.svg": lambda: Call(
            method="GET", path=f"{picture}/qr.svg", **printed
        ),
        "GET /admissions/<uuid:admission_id>/qr.png": lambda: Call(
            method="GET", path=f"{picture}/qr.png", **printed
        ),
    }


def _gate_calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    gate: dict[str, Any] = {"token": stage.token("gate")}
    finance: dict[str, Any] = {"token": stage.token("finance")}
    period = {
        "from": "2026-07-01", "to": "2026-07-31", "groupBy": "day",
        "ticketId": stage.ticket["id"], "resellerId": stage.reseller["id"],
    }  # fmt: skip
    since = {"since": "2026-06-01T00:00:00Z", "limit": "5"}

    def scan() -> dict[str, Any]:
        return {
            "code": stage.admissions[0]["code"],
            "poiId": str(MUSEUM),
            "scanId": str(uuid.uuid4()),
            "scannedAt": None,
        }

    def call(method: str, path: str, **more: Any) -> Call:
        return Call(method=method, path=path, **{**gate, **more})

    return {
        "POST /redemptions": lambda: call("POST", "/redemptions", body=scan()),
        "POST /redemptions/batch": lambda: call("POST", "/redemptions/batch", body={"scans": [scan()]}),
        "GET /redemptions/keys": lambda: call("GET", "/redemptions/keys"),
        "GET /redemptions/revocations": lambda: call("GET", "/redemptions/revocations", query=since),
        "GET /revenue": lambda: call("GET", "/revenue", query=period, **finance),
        "GET /revenue/export.csv": lambda: call("GET", "/revenue/export.csv", query=period, **finance),
    }


def _operator_calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    mine: dict[str, Any] = {"token": stage.token("operator")}
    mode = {"mode": "automatic", "reason": "a test", "until": "2100-01-01T00:00:00Z"}

    def call(method: str, path: str, **more: Any) -> Callable[[], Call]:
        return lambda: Call(method=method, path=f"/monitoring/{path}", **{**mine, **more})

    return {
        "POST /monitoring/metrics/reset": call("POST", "metrics/reset"),
        "PUT /monitoring/circuit-breakers/<name>": call("PUT", "circuit-breakers/mail", body=mode),
        "POST /monitoring/circuit-breakers/<name>/reset": call("POST", "circuit-breakers/mail/reset"),
        "POST /monitoring/circuit-breakers/reset-all": call("POST", "circuit-breakers/reset-all"),
        "POST /monitoring/cache/flush": call("POST", "cache/flush", body={"region": "tickets"}),
    }


def route_name(method: str, rule: str) -> str:
    """As `Stage.calls` has it: `GET /tickets`."""
    return f"{method} {rule.removeprefix(API)}"
