"""One attack after the other, on every route where it could be tried: refused, and nothing changed."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from marshmallow import Schema

from common.web.api import operations_of
from tests.http.admin.desk import Reply, refusal
from tests.security import hostile
from tests.security.admin.calls import Call
from tests.security.admin.stage import Stage, route_name
from tests.security.admin.test_fuzz import COUNTED
from tests.security.admin.test_policies import WHO
from tests.security.answers import check_problem

SCRIPTS = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>")
WITH_BODY = sorted(name for name in WHO if name.split()[0] in ("POST", "PUT", "PATCH"))
TAKEN = {
    ("POST /auth/password", "newPassword"): "a password may be anything, and is never shown",
    ("PUT /monitoring/circuit-breakers/<name>", "reason"): "shown to operators alone, as JSON and in logs",
}
"""Texts in which markup is no attack, with the reason."""

BOMB = gzip.compress(b" " * 20_000_000 + b"{}")
STANDING = ("status", "role", "roles", "owner", "ownerId", "verified", "verification", "createdBy", "isAdmin")


def texts(body: Any) -> Iterator[tuple[Any, ...]]:
    """The place of every text in a body."""
    for path in hostile.places(body):
        value = body
        for step in path:
            value = value[step]
        if isinstance(value, str):
            yield path


def attacked(stage: Stage, name: str, change: Callable[[Call], Call], **how: Any) -> tuple[Reply, set[str]]:
    """The answer to the changed call, and the tables in which it left something."""
    call = change(stage.call(name))
    before = stage.watch.digest()
    answer = stage.send(call, **how)
    after = stage.watch.digest()
    allowed = COUNTED if call.path.startswith("/auth/") else set()
    return answer, {table for table in after if after[table] != before[table]} - allowed


def with_text(path: tuple[Any, ...], text: str) -> Callable[[Call], Call]:
    """The call with `text` at a place of its body."""
    return lambda call: replace(call, body=hostile.replaced(call.body, path, text))


def with_member(member: str) -> Callable[[Call], Call]:
    """The call with one member more in its body."""
    return lambda call: replace(call, body={**(call.body or {}), member: "x"})


def declared_body(stage: Stage, name: str) -> Any:
    """What the route says of its body."""
    return next(
        each.body for each in operations_of(stage.desk.app) if route_name(each.method, each.rule) == name
    )


@pytest.mark.parametrize("name", WITH_BODY)
def test_script_in_any_text_is_refused(stage: Stage, name: str) -> None:
    for path in texts(stage.call(name).body):
        if (name, path[0]) in TAKEN:
            continue
        for script in SCRIPTS:
            answer, changed = attacked(stage, name, with_text(path, script))
            check_problem(answer, (name, path, script))
            assert not changed, (name, path, script)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name, member", sorted(TAKEN))
def test_what_is_listed_as_taken_is_taken(stage: Stage, name: str, member: str) -> None:
    answer, _ = attacked(stage, name, with_text((member,), SCRIPTS[0]))
    assert answer.status_code in (200, 204)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", WITH_BODY)
def test_what_would_unpack_to_twenty_megabytes_is_not_unpacked(stage: Stage, name: str) -> None:
    if declared_body(stage, name) is None:
        return
    answer, changed = attacked(
        stage,
        name,
        lambda call: replace(call, headers={**call.headers, "Content-Encoding": "gzip"}),
        data=BOMB,
        content_type="application/json",
    )
    assert check_problem(answer, name)["status"] in (400, 415)
    assert not changed


@pytest.mark.parametrize("name", WITH_BODY)
def test_nobody_gives_himself_a_standing(stage: Stage, name: str) -> None:
    declared = declared_body(stage, name)
    if not isinstance(declared, Schema):
        return
    for member in sorted(set(STANDING) - set(hostile.fields_of(declared))):
        answer, changed = attacked(stage, name, with_member(member))
        assert check_problem(answer)["code"] == "VALIDATION_FAILED", (name, member)
        assert (f"/{member}", "UNKNOWN_FIELD") in [(e["pointer"], e["code"]) for e in answer.json["errors"]]
        assert not changed, (name, member)


@pytest.mark.parametrize("value", [{"$ne": None}, {"$gt": ""}, {"$where": "sleep(1)"}, ["x"], True, 0])
def test_operators_open_no_door(stage: Stage, value: Any) -> None:
    for path, body in (
        ("login", {"email": value, "password": value}),
        ("login", {"email": "editor@example.org", "password": value}),
        ("refresh", {"refreshToken": value}),
        ("reset", {"token": value, "newPassword": "a long and unusual sentence"}),
        ("mfa", {"stepToken": value, "code": value}),
        ("forgot", {"email": value}),
    ):
        with stage.watch.unchanged((path, value)):
            answer = stage.desk.call("POST", f"/auth/{path}", body)
        assert refusal(answer) == (422, "VALIDATION_FAILED"), (path, value)
