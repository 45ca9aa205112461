"""Every route: who may call it, and that it is what the API says of itself."""

from __future__ import annotations

import re
import uuid

import pytest

from admin_service.domain.permissions import PERMISSIONS, ROLES
from common.auth.jwks import parse_jwks
from common.web.api import operations_of, unguarded_rules
from common.web.operations import Operation
from tests.http.admin.desk import Desk, refusal


def address(operation: Operation) -> str:
    """An address of the route, with ids of nothing."""
    return re.sub(r"<[^>]+>", str(uuid.uuid4()), operation.rule)


def test_no_route_is_without_a_policy(desk: Desk) -> None:
    assert unguarded_rules(desk.app) == []


def test_without_a_token_a_guarded_route_answers_401(desk: Desk) -> None:
    guarded = [each for each in operations_of(desk.app) if not each.who.guests and each.who.proof is None]
    assert len(guarded) > 4
    for operation in guarded:
        answer = desk.call(operation.method, address(operation))
        assert refusal(answer) == (401, "UNAUTHENTICATED"), operation.rule
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_another_role_is_refused(desk: Desk) -> None:
    for operation in operations_of(desk.app):
        if operation.who.guests or operation.who.kinds or operation.who.proof is not None:
            continue
        for role in (*ROLES, "reseller", "customer"):
            if role in operation.who.roles or role == "platform_admin":
                continue
            answer = desk.call(operation.method, address(operation), role=role)
            assert refusal(answer) == (403, "FORBIDDEN"), (operation.rule, role)


def test_the_roles_of_the_table_of_permissions_are_roles() -> None:
    assert {role for roles in PERMISSIONS.values() for role in roles} <= ROLES.keys()
    assert all(re.fullmatch(r"[a-z-]+:[a-z]+", name) for name in PERMISSIONS)


@pytest.mark.parametrize("token", ["bkt_", "a.b.c", "apk_x", "x" * 5000])
def test_a_token_that_is_not_good_is_401_everywhere(desk: Desk, token: str) -> None:
    assert refusal(desk.call("GET", "/monitoring/live", token=token)) == (401, "TOKEN_INVALID")


def test_openapi_lists_exactly_the_routes(desk: Desk) -> None:
    document = desk.call("GET", "/openapi.json").json
    listed = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    served = {
        (operation.method, re.sub(r"<(?:\w+:)?(\w+)>", r"{}", operation.rule))
        for operation in operations_of(desk.app)
    }
    assert {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in listed} == served
    assert document["openapi"].startswith("3.1")


def test_the_pages_beside_the_api_are_served(desk: Desk) -> None:
    assert desk.call("GET", "/docs").status_code == 200
    assert desk.call("GET", "/monitoring/live").status_code == 200
    assert desk.call("GET", "/monitoring/info").json["service"] == "admin-module"


def test_health_has_what_the_contract_names(desk: Desk) -> None:
    health = desk.call("GET", "/monitoring/health").json
    assert set(health["checks"]) == {"database", "cache", "circuitBreakers", "memory", "worker"}
    assert health["checks"]["circuitBreakers"]["total"] == 5
    breakers = desk.call("GET", "/monitoring/circuit-breakers").json["circuitBreakers"]
    assert set(breakers) == {"database", "cache", "storage", "ticketing-api", "mail"}
    regions = desk.call("GET", "/monitoring/cache/stats").json["cache"]["regions"]
    found = {name: region["ttlSeconds"] for name, region in regions.items()}
    assert found == {"pois": 3600, "config": 7200, "statistics": 600}


def test_the_keys_of_access_tokens_are_published(desk: Desk) -> None:
    answer = desk.call("GET", "/.well-known/jwks.json")
    assert answer.headers["Cache-Control"] == "public, max-age=30"
    assert parse_jwks(answer.data).keys() == desk.ports.token_keys.keys().keys()
    token = desk.token("operator")
    assert desk.call("POST", "/monitoring/metrics/reset", token=token).status_code == 200
    desk.ports.token_keys.rotate()
    assert desk.call("POST", "/monitoring/metrics/reset", token=token).status_code == 200
    assert len(desk.call("GET", "/.well-known/jwks.json").json["keys"]) == 2


def test_what_operators_do_is_in_the_audit_trail(desk: Desk) -> None:
    mode = {"mode": "forced_open", "reason": "the mail server is moved"}
    path = "/monitoring/circuit-breakers/mail"
    assert desk.call("PUT", path, mode, role="operator").status_code == 200
    (entry,) = desk.ports.store.audit.after(0, 10)
    assert (entry.event.action, entry.event.subject) == (
        "monitoring.operate", "circuit-breakers/mail: forced_open",
    )  # fmt: skip
    assert entry.event.after == {"reason": "the mail server is moved"}


def test_operators_act_with_the_database_away(desk: Desk) -> None:
    desk.running.parts.breakers.set_mode("database", "forced_open", "a test", None)
    for name in ("mail", "database"):
        answer = desk.call("POST", f"/monitoring/circuit-breakers/{name}/reset", role="operator")
        assert answer.status_code == 200
    desk.running.parts.breakers.set_mode("database", "automatic", "a test", None)
    assert desk.ports.store.audit.after(0, 10) == ()
