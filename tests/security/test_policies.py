"""Every route and every kind of caller: who is let in stands here in full, as the contract says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from common.web.api import operations_of
from tests.http.ticketing.shop import CUSTOMER, Reply, refusal
from tests.security.answers import check_problem
from tests.security.stage import ROLES, Stage, route_name

ANYONE = frozenset({"guest", "own booking", "foreign booking", "reseller key", *ROLES})
MANAGERS = frozenset({"ticket_manager"})
FINANCE = frozenset({"finance"})
GATES = frozenset({"gate"})
OPERATORS = frozenset({"operator"})
LISTS = frozenset({"support", "finance", "reseller key"})
HOLDERS = frozenset({"own booking", "support"})
"""And its customer or reseller, which is a test of its own: here nobody's account has made the booking."""
TOKEN = frozenset({"own booking"})
RESELLERS = frozenset({"reseller key"})
OCTO = frozenset({"reseller key"})
"""Not even administrators: who has no key sells nothing."""
ADMINISTRATORS: frozenset[str] = frozenset()
SERVICES: frozenset[str] = frozenset()
"""None of these; a service's token is a test of its own."""
PROVEN = ANYONE
"""The view looks at the proof that the call brings, and at nothing else."""

WHO = {
    "GET /tickets": ANYONE,
    "GET /tickets/<uuid:ticket_id>": ANYONE,
    "POST /tickets": MANAGERS,
    "PUT /tickets/<uuid:ticket_id>": MANAGERS,
    "PATCH /tickets/<uuid:ticket_id>": MANAGERS,
    "DELETE /tickets/<uuid:ticket_id>": MANAGERS,
    "GET /tickets/<uuid:ticket_id>/availability": ANYONE,
    "GET /tickets/<uuid:ticket_id>/schedule": MANAGERS,
    "PUT /tickets/<uuid:ticket_id>/schedule": MANAGERS,
    "PATCH /slots/<uuid:slot_id>": MANAGERS,
    "POST /slots/<uuid:slot_id>/cancel": MANAGERS,
    "POST /availability/check": ANYONE,
    "POST /bookings": ANYONE,
    "GET /bookings": LISTS,
    "POST /bookings/lookup": ANYONE,
    "GET /bookings/<uuid:booking_id>": HOLDERS,
    "PATCH /bookings/<uuid:booking_id>": HOLDERS,
    "POST /bookings/<uuid:booking_id>/extend": HOLDERS,
    "POST /bookings/<uuid:booking_id>/cancel": HOLDERS,
    "GET /bookings/<uuid:booking_id>/pay": PROVEN,
    "POST /bookings/<uuid:booking_id>/payment": HOLDERS,
    "POST /bookings/<uuid:booking_id>/confirm": HOLDERS,
    "POST /webhooks/payment": PROVEN,
    "GET /bookings/<uuid:booking_id>/admissions": TOKEN,
    "GET /bookings/<uuid:booking_id>/admissions.pdf": TOKEN,
    "GET /bookings/<uuid:booking_id>/calendar.ics": TOKEN,
    "GET /admissions/<uuid:admission_id>/qr.svg": TOKEN,
    "GET /admissions/<uuid:admission_id>/qr.png": TOKEN,
    "POST /redemptions": GATES,
    "POST /redemptions/batch": GATES,
    "GET /redemptions/keys": GATES,
    "GET /redemptions/revocations": GATES,
    "GET /vouchers": MANAGERS,
    "POST /vouchers": MANAGERS,
    "PATCH /vouchers/<uuid:voucher_id>": MANAGERS,
    "GET /resellers": ADMINISTRATORS,
    "POST /resellers": ADMINISTRATORS,
    "GET /resellers/<uuid:reseller_id>": ADMINISTRATORS,
    "PATCH /resellers/<uuid:reseller_id>": ADMINISTRATORS,
    "GET /resellers/<uuid:reseller_id>/keys": ADMINISTRATORS,
    "POST /resellers/<uuid:reseller_id>/keys": ADMINISTRATORS,
    "DELETE /resellers/<uuid:reseller_id>/keys/<uuid:key_id>": ADMINISTRATORS,
    "GET /webhook-subscriptions": RESELLERS,
    "POST /webhook-subscriptions": RESELLERS,
    "GET /webhook-subscriptions/<uuid:subscription_id>": RESELLERS,
    "PATCH /webhook-subscriptions/<uuid:subscription_id>": RESELLERS,
    "DELETE /webhook-subscriptions/<uuid:subscription_id>": RESELLERS,
    "POST /webhook-subscriptions/<uuid:subscription_id>/secret": RESELLERS,
    "GET /webhook-subscriptions/<uuid:subscription_id>/deliveries": RESELLERS,
    "POST /webhook-subscriptions/<uuid:subscription_id>/deliveries/<uuid:delivery_id>/replay": RESELLERS,
    "GET /octo/supplier": OCTO,
    "GET /octo/capabilities": OCTO,
    "GET /octo/products": OCTO,
    "GET /octo/products/<product_id>": OCTO,
    "POST /octo/availability": OCTO,
    "POST /octo/availability/calendar": OCTO,
    "POST /octo/bookings": OCTO,
    "GET /octo/bookings": OCTO,
    "GET /octo/bookings/<uuid>": OCTO,
    "PATCH /octo/bookings/<uuid>": OCTO,
    "POST /octo/bookings/<uuid>/confirm": OCTO,
    "POST /octo/bookings/<uuid>/extend": OCTO,
    "POST /octo/bookings/<uuid>/cancel": OCTO,
    "GET /octo/webhooks": OCTO,
    "POST /octo/webhooks": OCTO,
    "DELETE /octo/webhooks/<webhook_id>": OCTO,
    "GET /octo/bookings/<uuid:booking_id>/voucher.pdf": PROVEN,
    "GET /revenue": FINANCE,
    "GET /revenue/export.csv": FINANCE,
    "GET /internal/sales": SERVICES,
    "POST /internal/people/export": SERVICES,
    "POST /internal/people/erase": SERVICES,
    "GET /monitoring/health": ANYONE,
    "GET /monitoring/ready": ANYONE,
    "GET /monitoring/live": ANYONE,
    "GET /monitoring/info": ANYONE,
    "GET /monitoring/metrics": ANYONE,
    "GET /monitoring/metrics/prometheus": ANYONE,
    "POST /monitoring/metrics/reset": OPERATORS,
    "GET /monitoring/circuit-breakers": ANYONE,
    "PUT /monitoring/circuit-breakers/<name>": OPERATORS,
    "POST /monitoring/circuit-breakers/<name>/reset": OPERATORS,
    "POST /monitoring/circuit-breakers/reset-all": OPERATORS,
    "GET /monitoring/cache/stats": ANYONE,
    "POST /monitoring/cache/flush": OPERATORS,
    "GET /openapi.json": ANYONE,
    "GET /docs": ANYONE,
}
# What a call that is let in leaves behind stands in the way of those after it, so these come last.
_LAST = ("DELETE /tickets/<uuid:ticket_id>", "POST /slots/<uuid:slot_id>/cancel")


def callers(stage: Stage, name: str) -> Iterator[tuple[str, str | None]]:
    """Every kind of caller of a route with a token, the one in whose hand the booking is among them."""
    printed = name.startswith("GET /admissions") or "admissions" in name or "calendar" in name
    own = stage.paid if printed or name.endswith("/cancel") else stage.held
    yield "guest", None
    yield "own booking", own["accessToken"]
    yield "foreign booking", stage.foreign["accessToken"]
    yield "reseller key", stage.reseller_key
    for role in ROLES:
        yield role, stage.token(role)


def is_let_in(answer: Reply) -> bool:
    """Whether the policy and the ownership let the call through, whatever came of it."""
    if answer.status_code < 400:
        return True
    code = answer.json.get("code", answer.json.get("error")) if answer.is_json else None
    return code not in (
        "UNAUTHENTICATED", "UNAUTHORIZED", "FORBIDDEN", "TOKEN_INVALID", "TOKEN_EXPIRED", "NOT_FOUND",
        "BOOKING_NOT_FOUND", "ADMISSION_NOT_FOUND",
    )  # fmt: skip


def test_each_route_has_an_entry_and_no_entry_is_of_the_past(stage: Stage) -> None:
    served = {
        f"{method} {rule.rule.removeprefix('/api/v1')}"
        for rule in stage.shop.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == WHO.keys()
    assert served == stage.calls.keys()
    assert served == {route_name(each.method, each.rule) for each in operations_of(stage.shop.app)}


@pytest.mark.parametrize("name", sorted(WHO, key=lambda name: (name in _LAST, name)))
def test_a_route_serves_those_in_the_table_and_nobody_else(stage: Stage, name: str) -> None:
    allowed = WHO[name] if WHO[name] is OCTO else WHO[name] | {"platform_admin"}
    for who, token in callers(stage, name):
        call = stage.call(name)
        body, query = call.body, dict(call.query)
        if name.endswith("/cancel") and "refundPercent" in (body or {}):
            body = {"reason": "ill", "unitItemIds": call.body["unitItemIds"]}
        if name == "GET /bookings":
            del query["email"]  # finance may not search by it: a test of its own
        with stage.watch.unchanged(f"{name} by {who}") if who not in allowed else nullcontext():
            answer = stage.shop.call(
                call.method,
                call.path,
                body,
                query_string=query,
                headers=dict(call.headers),
                token=token,
            )
        assert is_let_in(answer) is (who in allowed), (name, who, answer.data[:300])
        if who == "guest" and who not in allowed:
            assert refusal(answer) == (401, "UNAUTHENTICATED"), name
        elif who not in allowed:
            assert check_problem(answer)["status"] in (403, 404), (name, who)


def test_whoever_signed_in_to_book_needs_no_other_token(stage: Stage) -> None:
    path = f"/bookings/{stage.owned['id']}"
    assert stage.shop.call("GET", path, token=stage.owner).status_code == 200
    stranger = stage.token("customer", subject="stranger")
    assert refusal(stage.shop.call("GET", path, token=stranger)) == (404, "BOOKING_NOT_FOUND")
    reseller = stage.token("reseller", subject="agency")
    assert refusal(stage.shop.call("GET", path, token=reseller)) == (404, "BOOKING_NOT_FOUND")


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_finance_sees_no_contact_data_wherever_it_looks(stage: Stage, accept: str) -> None:
    secrets = (CUSTOMER["name"], CUSTOMER["email"], "Bo Stranger", "bo@example.org", "accessToken", "bkt_")
    period = "from=2026-07-01&to=2026-07-31"
    for path in ("/bookings", f"/revenue?{period}", f"/revenue/export.csv?{period}"):
        answer = stage.shop.call("GET", path, role="finance", headers={"Accept": accept})
        assert answer.status_code == 200
        assert [text for text in secrets if text in answer.text] == []
    paid = f"/bookings?reference={stage.paid['reference']}"
    assert CUSTOMER["name"] in stage.shop.call("GET", paid, role="support").text
    by_contact = stage.shop.call("GET", "/bookings?email=bo@example.org", role="finance")
    assert refusal(by_contact) == (403, "FORBIDDEN")


def test_a_gate_is_told_nothing_but_a_scan_s_answer(stage: Stage) -> None:
    call = stage.call("POST /redemptions")
    refused = stage.shop.call("POST", "/redemptions", call.body, role="gate")
    rows = stage.shop.call("POST", "/redemptions/batch", {"scans": [call.body]}, role="gate")
    revoked = stage.shop.call("GET", "/redemptions/revocations", role="gate")
    for answer in (refused, rows, revoked):
        told = answer.text
        for secret in (*CUSTOMER.values(), stage.paid["id"], stage.paid["reference"], "example.org"):
            assert secret not in told.replace('"nl"', "") or secret == "nl", (secret, told)
    path = f"/bookings/{stage.paid['id']}"
    assert refusal(stage.shop.call("GET", path, role="gate")) == (404, "BOOKING_NOT_FOUND")
