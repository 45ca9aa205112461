"""Every route and every kind of caller: who is let in stands here in full, as the contract says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from admin_service.domain.permissions import PERMISSIONS, ROLES
from common.web.api import operations_of
from tests.http.admin.desk import Reply, refusal
from tests.security.admin.stage import KEY_OF_OPERATORS, Stage, body_of, route_name
from tests.security.answers import check_problem

KEYS = frozenset(f"key of {role}" for role in ROLES if role != "platform_admin")
PEOPLE = frozenset({*ROLES, "nobody in particular"})
ANYONE = frozenset({"guest", "service", "operator's key", *KEYS, *PEOPLE})
GOVERN = frozenset({"platform_admin"})
OPERATORS = frozenset({"platform_admin", "operator", "key of operator", "operator's key"})
SERVICES = frozenset({"service", "platform_admin"})


def held(*roles: str) -> frozenset[str]:
    """Who holds one of `roles`, people and keys."""
    return frozenset({"platform_admin", *roles, *(f"key of {role}" for role in roles)})


CURATORS = held("editor", "poi_owner")
READERS = held("editor", "poi_owner", "reviewer")
EDITORS = held("editor")
REVIEWERS = held("reviewer")
PUBLISHERS = held("editor", "reviewer")
"""Of a POI that is not their own, owners see nothing; a POI of their own is a test of its own."""

OWN = PEOPLE
"""Whoever has signed in, for what is one's own; no key and no service is anybody."""

WHO = {
    "POST /auth/login": ANYONE,
    "POST /auth/mfa": ANYONE,
    "POST /auth/refresh": ANYONE,
    "POST /auth/forgot": ANYONE,
    "POST /auth/reset": ANYONE,
    "POST /auth/mfa/enrol": ANYONE,
    "POST /auth/mfa/confirm": ANYONE,
    "POST /auth/logout": OWN,
    "GET /auth/me": OWN,
    "POST /auth/password": OWN,
    "POST /auth/mfa/recovery-codes": OWN,
    "POST /auth/mfa/disable": OWN,
    "GET /auth/sessions": OWN,
    "DELETE /auth/sessions": OWN,
    "DELETE /auth/sessions/<uuid:session_id>": frozenset(),
    "GET /auth/changes": SERVICES,
    "POST /auth/key-uses": SERVICES,
    "GET /users": GOVERN,
    "POST /users": GOVERN,
    "GET /users/<uuid:user_id>": GOVERN,
    "PATCH /users/<uuid:user_id>": GOVERN,
    "DELETE /users/<uuid:user_id>": GOVERN,
    "POST /users/<uuid:user_id>/unlock": GOVERN,
    "DELETE /users/<uuid:user_id>/mfa": GOVERN,
    "GET /users/<uuid:user_id>/sessions": GOVERN,
    "DELETE /users/<uuid:user_id>/sessions": GOVERN,
    "GET /api-keys": GOVERN,
    "POST /api-keys": GOVERN,
    "GET /api-keys/<uuid:key_id>": GOVERN,
    "DELETE /api-keys/<uuid:key_id>": GOVERN,
    "GET /pois": READERS,
    "POST /pois": CURATORS,
    "GET /pois/<uuid:poi_id>": PUBLISHERS,
    "PUT /pois/<uuid:poi_id>": EDITORS,
    "PATCH /pois/<uuid:poi_id>": EDITORS,
    "DELETE /pois/<uuid:poi_id>": PUBLISHERS,
    "GET /pois/<uuid:poi_id>/history": PUBLISHERS,
    "POST /pois/<uuid:poi_id>/restore": EDITORS,
    "PUT /pois/<uuid:poi_id>/owner": EDITORS,
    "POST /pois/<uuid:poi_id>/submit": EDITORS,
    "POST /pois/<uuid:poi_id>/approve": REVIEWERS,
    "POST /pois/<uuid:poi_id>/reject": REVIEWERS,
    "POST /pois/<uuid:poi_id>/verify": REVIEWERS,
    "POST /pois/<uuid:poi_id>/publish": PUBLISHERS,
    "POST /pois/<uuid:poi_id>/archive": PUBLISHERS,
    "POST /pois/<uuid:poi_id>/close": PUBLISHERS,
    "POST /pois/<uuid:poi_id>/merge": EDITORS,
    "GET /pois/<uuid:poi_id>/merges": EDITORS,
    "POST /pois/merges/<uuid:merge_id>/undo": EDITORS,
    "GET /pois/<uuid:poi_id>/duplicates": EDITORS,
    "DELETE /pois/<uuid:poi_id>/duplicates/<uuid:other_id>": EDITORS,
    "GET /pois/duplicates": EDITORS,
    "POST /pois/bulk": PUBLISHERS,
    "GET /pois/export": READERS,
    "POST /pois/import": CURATORS,
    "GET /pois/imports": CURATORS,
    "GET /pois/imports/<uuid:import_id>": EDITORS,
    "GET /pois/imports/<uuid:import_id>/rows": EDITORS,
    "GET /media": READERS,
    "POST /media": CURATORS,
    "GET /media/quota": READERS,
    "GET /media/<uuid:media_id>": READERS,
    "GET /media/<uuid:media_id>/uses": READERS,
    "PATCH /media/<uuid:media_id>": EDITORS,
    "DELETE /media/<uuid:media_id>": EDITORS,
    "GET /config": EDITORS | OPERATORS,
    "PATCH /config": GOVERN,
    "GET /config/history": EDITORS | OPERATORS,
    "POST /config/rollback": GOVERN,
    "GET /internal/configuration": SERVICES,
    "GET /api/platform/config": ANYONE,
    "GET /audit": GOVERN,
    "GET /audit/export.csv": GOVERN,
    "GET /audit/verify": GOVERN,
    "GET /stats": held("editor", "reviewer", "finance") | OPERATORS,
    "POST /privacy/export": GOVERN,
    "POST /privacy/erase": GOVERN,
    "GET /system/mode": OPERATORS,
    "PUT /system/mode": OPERATORS,
    "GET /system/services": OPERATORS,
    "GET /system/jobs": OPERATORS,
    "GET /system/backups": OPERATORS,
    "POST /system/backups": OPERATORS,
    "POST /system/restore-drill": OPERATORS,
    "GET /system/jobs/given-up": OPERATORS,
    "POST /system/jobs/<uuid:job_id>/retry": OPERATORS,
    "GET /api/platform/pois": ANYONE,
    "GET /api/platform/pois/<uuid:poi_id>": ANYONE,
    "GET /api/platform/pois/clusters": ANYONE,
    "GET /api/platform/categories": ANYONE,
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
    "GET /.well-known/jwks.json": ANYONE,
    "GET /admin/password": ANYONE,
}
"""Of the sessions of others nobody knows; one's own is a test of its own."""

NOT_LET_IN = frozenset(
    {
        "UNAUTHENTICATED",
        "FORBIDDEN",
        "TOKEN_INVALID",
        "TOKEN_EXPIRED",
        "SESSION_NOT_FOUND",
        "POI_NOT_FOUND",
        "IMPORT_NOT_FOUND",
        "MEDIA_NOT_YOURS",
    }
)


def callers(stage: Stage) -> Iterator[tuple[str, str | None]]:
    """Every kind of caller with a token."""
    yield "guest", None
    yield "service", stage.service()
    yield "operator's key", KEY_OF_OPERATORS
    yield "nobody in particular", stage.access(stage.stranger)
    for role, user in stage.people.items():
        yield role, stage.access(user)
    for role, key in stage.keys.items():
        yield f"key of {role}", key["key"]


def is_let_in(answer: Reply, name: str) -> bool:
    """Whether the policy and the ownership let the call through, whatever came of it."""
    if answer.status_code < 400:
        return True
    code = answer.json.get("code") if answer.is_json else None
    # signing out of a session that is nowhere: the caller was let in
    return code not in NOT_LET_IN or (code == "SESSION_NOT_FOUND" and name == "POST /auth/logout")


def test_each_route_has_an_entry_and_no_entry_is_of_the_past(stage: Stage) -> None:
    served = {route_name(each.method, each.rule) for each in operations_of(stage.desk.app)}
    assert served == WHO.keys()
    assert served == stage.calls.keys()


@pytest.mark.parametrize("name", sorted(WHO))
def test_a_route_serves_those_in_the_table_and_nobody_else(stage: Stage, name: str) -> None:
    refused = stage.call(name)
    for who, token in callers(stage):
        call = stage.call(name) if who in WHO[name] else refused
        if name == "DELETE /auth/sessions/<uuid:session_id>":
            path = f"/auth/sessions/{stage.other.session_id}"
        else:
            path = call.path
        with stage.watch.unchanged(f"{name} by {who}") if who not in WHO[name] else nullcontext():
            answer = stage.desk.call(
                call.method, path, query_string=dict(call.query), headers=dict(call.headers), token=token,
                **body_of(call),
            )  # fmt: skip
        assert is_let_in(answer, name) is (who in WHO[name]), (name, who, answer.data[:300])
        if who == "guest" and who not in WHO[name]:
            assert refusal(answer) == (401, "UNAUTHENTICATED"), name
        elif who not in WHO[name]:
            assert check_problem(answer)["status"] in (403, 404), (name, who)


def test_an_administrator_cannot_be_made_by_anybody_else(stage: Stage) -> None:
    new = {"email": "eve@example.org", "name": "Eve", "roles": ["platform_admin"]}
    key = {"name": "x", "roles": ["operator"], "expiresAt": "2099-01-01T00:00:00Z"}
    for role, user in stage.people.items():
        if role == "platform_admin":
            continue
        tries = (
            ("POST", "/users", new),
            ("PATCH", f"/users/{user.id}", {"roles": ["platform_admin"]}),
            ("POST", "/api-keys", key),
        )
        for method, path, body in tries:
            with stage.watch.unchanged((role, path)):
                answer = stage.desk.call(
                    method, path, body, token=stage.access(user), headers={"If-Match": '"1"'}
                )
            assert refusal(answer) == (403, "FORBIDDEN"), (role, path)


def test_the_permissions_of_a_route_are_those_of_the_table(stage: Stage) -> None:
    wanted = {"users:read": "GET /users", "users:write": "POST /users", "api-keys:write": "POST /api-keys"}
    operations = {route_name(each.method, each.rule): each for each in operations_of(stage.desk.app)}
    for permission, name in wanted.items():
        assert operations[name].who.roles == frozenset(PERMISSIONS[permission])
