"""In maintenance the public writes nothing; in read-only nobody does."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from common.auth.service_tokens import ServiceTokens
from common.auth.shared_key import service_secrets
from common.web.api import operations_of
from tests.http.ticketing.shop import TOWER, Reply, Shop, item, refusal, ticket
from tests.sandbox.running import SandboxProcess
from tests.worker.shop import QUICK
from ticketing_service.domain.platform import Mode, Platform
from ticketing_service.domain.pricing import SalePolicy
from ticketing_service.routes.mode import READS_BY_POST, WRITES_BY_GET
from ticketing_service.tasks import build_worker


def be(shop: Shop, mode: Mode, **policy: Any) -> None:
    shop.ports.followed.platform = Platform(SalePolicy(**policy), mode, 1)


def service(shop: Shop, audience: str = "ticketing") -> str:
    return ServiceTokens(service_secrets(shop.settings), shop.clock).issue("admin", audience)


def test_the_rules_of_a_sale_are_those_that_are_followed(shop: Shop) -> None:
    slot = shop.slots(shop.ticket())[0]
    assert shop.hold(item(slot)).json["price"]["fee"]["amount"] == 250
    be(shop, Mode.NORMAL, fee=99, hold_minutes=5, max_units_per_item=2)
    held = shop.hold(item(slot)).json
    assert held["price"]["fee"]["amount"] == 99
    assert held["expiresAt"] == "2026-07-01T08:05:00.000Z"
    assert refusal(shop.hold(item(slot, 3))) == (422, "TOO_MANY_UNITS")


def test_in_maintenance_the_public_reads_and_does_not_write(shop: Shop) -> None:
    slot = shop.slots(shop.ticket())[0]
    held = shop.hold(item(slot)).json
    be(shop, Mode.MAINTENANCE)
    refused = shop.hold(item(slot))
    assert refusal(refused) == (503, "MAINTENANCE")
    assert refused.headers["Retry-After"] == "30"
    own = held["accessToken"]
    for path in (f"/bookings/{held['id']}/extend", f"/bookings/{held['id']}/payment"):
        assert refusal(shop.call("POST", path, token=own)) == (503, "MAINTENANCE")
    look_up = {"email": "ann@example.org"}
    assert refusal(shop.call("POST", "/bookings/lookup", look_up)) == (503, "MAINTENANCE")
    assert shop.call("GET", f"/bookings/{held['id']}", token=own).status_code == 200
    assert shop.call("GET", "/tickets").status_code == 200
    assert shop.call("GET", "/monitoring/live").status_code == 200
    asked = {"items": [item(slot)]}
    assert shop.call("POST", "/availability/check", asked).status_code == 200


def test_in_maintenance_staff_gates_and_webhooks_go_on(shop: Shop, sandbox: SandboxProcess) -> None:
    slot = shop.slots(shop.ticket())[0]
    be(shop, Mode.MAINTENANCE)
    assert shop.hold(item(slot), role="support").status_code == 201
    assert shop.call("POST", "/tickets", ticket(), role="ticket_manager").status_code == 201
    scan = {"scanId": str(uuid.uuid4()), "code": "x", "poiId": str(TOWER)}
    assert shop.call("POST", "/redemptions", scan, role="gate").status_code != 503
    assert refusal(shop.webhook({"event": "payment.captured"}, secret="w" * 32)) == (401, "SIGNATURE_INVALID")
    assert shop.hold(item(slot), role="platform_admin").status_code == 201


def test_in_maintenance_a_bad_token_is_a_bad_token(shop: Shop) -> None:
    be(shop, Mode.MAINTENANCE)
    assert refusal(shop.call("POST", "/tickets", ticket(), token="a.b.c")) == (401, "TOKEN_INVALID")


def test_in_read_only_every_route_that_writes_is_refused_whoever_asks(shop: Shop) -> None:
    be(shop, Mode.READ_ONLY)
    refused = 0
    for operation in operations_of(shop.app):
        writes = operation.method != "GET" or operation.rule in WRITES_BY_GET
        if not writes or operation.rule in READS_BY_POST or "/monitoring/" in operation.rule:
            continue
        path = re.sub(r"<uuid:\w+>", lambda _: str(uuid.uuid4()), operation.rule.removeprefix("/api/v1"))
        answer: Reply = shop.call(operation.method, path, role="platform_admin")
        said = "SERVICE_UNAVAILABLE" if "/octo/" in path else "READ_ONLY"
        assert refusal(answer) == (503, said), operation.rule
        refused += 1
    assert refused > 15
    assert shop.call("GET", "/tickets").status_code == 200
    assert shop.call("POST", "/monitoring/metrics/reset", role="operator").status_code == 200


def test_what_is_unknown_is_unknown_in_every_mode(shop: Shop) -> None:
    be(shop, Mode.READ_ONLY)
    assert refusal(shop.call("POST", "/nothing")) == (404, "NOT_FOUND")
    assert refusal(shop.call("DELETE", "/tickets")) == (405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    "mode, begins", [(Mode.NORMAL, True), (Mode.MAINTENANCE, True), (Mode.READ_ONLY, False)]
)
def test_the_worker_pauses_in_read_only_alone(shop: Shop, mode: Mode, begins: bool) -> None:
    be(shop, mode)
    worker = build_worker(shop.ports, owner="w", pace=QUICK)
    assert worker.may_begin() is begins


def test_sales_are_told_to_the_admin_service_by_currency(shop: Shop, sandbox: SandboxProcess) -> None:
    slot = shop.slots(shop.ticket())[0]
    shop.paid(sandbox, item(slot, 2))
    path = "/internal/sales?from=2026-07-01&to=2026-07-01"
    answer = shop.call("GET", path, token=service(shop))
    assert answer.json["data"] == [
        {"currency": "EUR", "bookings": 1, "units": 2, "sales": 2000, "fees": 250, "refunds": 0}
    ]
    empty = shop.call("GET", "/internal/sales?from=2026-06-01&to=2026-06-30", token=service(shop))
    assert empty.json == {"data": []}
    wrong = ("", "?from=2026-07-01", "?from=x&to=y", "?from=2026-07-02&to=2026-07-01")
    for query in (*wrong, "?from=2020-01-01&to=2026-07-01"):
        assert shop.call("GET", f"/internal/sales{query}", token=service(shop)).status_code == 422


def test_a_person_is_shown_and_taken_out(any_shop: Shop) -> None:
    shop = any_shop
    slot = shop.slots(shop.ticket())[0]
    held = shop.hold(item(slot)).json
    person = {"email": "ANN@example.org"}
    shown = shop.call("POST", "/internal/people/export", person, token=service(shop)).json
    assert [booking["id"] for booking in shown["bookings"]] == [held["id"]]
    assert shown["bookings"][0]["customer"]["name"] == "Ann Example"
    erased = shop.call("POST", "/internal/people/erase", person, token=service(shop))
    assert erased.json == {"bookings": 0, "openBookings": 1}
    shop.clock.move(minutes=16)
    shop.ports.store.bookings.expire_due(shop.clock.now, 10)
    erased = shop.call("POST", "/internal/people/erase", person, token=service(shop))
    assert erased.json == {"bookings": 1, "openBookings": 0}
    again = shop.call("POST", "/internal/people/export", person, token=service(shop))
    assert again.json == {"bookings": []}
    kept = shop.call("GET", f"/bookings/{held['id']}", role="support").json
    assert kept["customer"]["name"] == "-"
    assert kept["reference"] == held["reference"]


@pytest.mark.parametrize("body", [{}, {"email": "x"}, {"email": 5}, {"email": "a@b.example", "x": 1}, []])
def test_a_person_that_is_none_is_refused(shop: Shop, body: object) -> None:
    for path in ("/internal/people/export", "/internal/people/erase"):
        assert shop.call("POST", path, body, token=service(shop)).status_code == 422


def test_what_is_internal_is_for_services_alone(shop: Shop) -> None:
    for method, path in (
        ("GET", "/internal/sales?from=2026-07-01&to=2026-07-01"),
        ("POST", "/internal/people/export"),
        ("POST", "/internal/people/erase"),
    ):
        body = {"email": "ann@example.org"} if method == "POST" else None
        assert refusal(shop.call(method, path, body)) == (401, "UNAUTHENTICATED")
        for role in ("support", "finance", "operator"):
            assert refusal(shop.call(method, path, body, role=role)) == (403, "FORBIDDEN")
        assert refusal(shop.call(method, path, body, token=service(shop, "admin"))) == (401, "TOKEN_INVALID")
        old = service(shop)
        shop.clock.move(minutes=6)
        assert refusal(shop.call(method, path, body, token=old)) == (401, "TOKEN_INVALID")
