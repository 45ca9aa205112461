"""Hostile values in every field of every route: always an answer in order, and a refusal changes nothing but
what counts it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from marshmallow import Schema

from common.web.api import operations_of
from tests.counts import counts
from tests.http.admin.desk import refusal
from tests.security import hostile
from tests.security.admin.calls import Call
from tests.security.admin.stage import Stage, route_name
from tests.security.admin.test_policies import WHO
from tests.security.answers import check_problem
from tests.security.test_fuzz import some

A_FIELD = counts(6, len(hostile.JSON_VALUES))
A_PARAMETER = counts(6, len(hostile.QUERY_VALUES))
A_ROUTE = counts(6, len(hostile.HEADERS))
COUNTED = {"admin_sign_in_attempts", "admin_audit", "admin_audit_head"}
"""Where a failed sign-in, or a wrong password, leaves its trace."""

LEFT_TO_DO = {"/privacy/erase": {"admin_outbox"}}
"""What is left for the worker by a call that is refused because the other service is away."""

SLOW = "POST /monitoring/circuit-breakers/reset-all"
BODIES = sorted(
    name
    for name in WHO
    if name.split()[0] in ("POST", "PATCH", "PUT")
    # POIs have attacks of their own, on every field; here stands for all the one that makes them
    and ("/pois" not in name or name == "POST /pois")
    # its body is no JSON; files have attacks of their own
    and name != "POST /media"
    and not name.endswith(("/logout", "/reset-all", "<name>/reset", "/unlock", "metrics/reset", "/retry"))
    and name not in ("POST /system/backups", "POST /system/restore-drill")
)
NOT_FILLED = {
    "POST /monitoring/cache/flush": {"pattern"},
    # either of two that exclude each other
    "POST /auth/mfa": {"recoveryCode"},
    "POST /auth/mfa/enrol": {"password"},
}


def send(stage: Stage, call: Call, what: object, **how: object) -> None:
    """The call, and a look at the store beside it."""
    before = stage.watch.digest()
    answer = stage.send(call, **how)
    if answer.status_code >= 400:
        check_problem(answer, what)
    if answer.status_code >= 400 or (answer.status_code == 200 and call.method == "GET"):
        after = stage.watch.digest()
        changed = {name for name in after if after[name] != before[name]}
        allowed = COUNTED if call.path.startswith("/auth/") else set()
        if answer.status_code == 503:
            allowed = LEFT_TO_DO.get(call.path, allowed)
        assert changed <= allowed, (what, answer.status_code, changed)


@pytest.mark.parametrize("name", BODIES)
def test_each_field_of_a_body_bears_anything(stage: Stage, name: str) -> None:
    body = stage.call(name).body
    for path in hostile.places(body):
        for value in some(hostile.JSON_VALUES, A_FIELD, (name, path)):
            call = stage.call(name)
            raw = hostile.written(call.body, path, value)
            send(stage, call, (name, path, value[:80]), data=raw, content_type="application/json")


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_read_is_refused_by_each_route(stage: Stage, name: str) -> None:
    call = stage.call(name)
    whole = json.dumps(call.body).encode()
    for raw, kind, status, code in (
        (b"", "application/json", 400, "MALFORMED_JSON"),
        (whole[:-1], "application/json", 400, "MALFORMED_JSON"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "application/json", 400, "MALFORMED_JSON"),
        (b"[" * 40 + b"]" * 40, "application/json", 400, "MALFORMED_JSON"),
        (b'"' + b"x" * 5_000_000 + b'"', "application/json", 413, "CONTENT_TOO_LARGE"),
        (whole, "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (whole, "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"[]", "application/json", 422, "VALIDATION_FAILED"),
        (b"null", "application/json", 422, "VALIDATION_FAILED"),
    ):
        with stage.watch.unchanged((name, raw[:40])):
            answer = stage.send(call, data=raw, content_type=kind)
        check_problem(answer)
        assert refusal(answer) == (status, code), (name, raw[:40], kind)


@pytest.mark.parametrize("name", BODIES)
def test_what_nobody_asked_for_is_refused_by_name(stage: Stage, name: str) -> None:
    for member in (
        "isAdmin",
        "role",
        "roles_",
        "verified",
        "ownerId",
        "$where",
        "__proto__",
        "id",
        "version",
    ):
        call = stage.call(name)
        with stage.watch.unchanged((name, member)):
            answer = stage.send(replace(call, body={**call.body, member: True}))
        assert check_problem(answer)["code"] == "VALIDATION_FAILED", (name, member)
        assert (f"/{member}", "UNKNOWN_FIELD") in [(e["pointer"], e["code"]) for e in answer.json["errors"]]


@pytest.mark.parametrize("name", sorted(name for name in WHO if name.startswith("GET ")))
def test_each_parameter_of_a_query_bears_anything(stage: Stage, name: str) -> None:
    call = stage.call(name)
    for parameter in (*call.query, "unknown", "limit[$gt]", "%00", "%ff"):
        rest = "&".join(f"{key}={value}" for key, value in call.query.items() if key != parameter)
        for value in some(hostile.QUERY_VALUES, A_PARAMETER, (name, parameter)):
            query = f"{rest}&{parameter}={value}".lstrip("&")
            send(stage, replace(call, query={}), (name, query[:200]), query_string=query)


@pytest.mark.parametrize("name", sorted(name for name in WHO if "/pois/" not in name))
def test_each_route_bears_any_header(stage: Stage, name: str) -> None:
    for header, value in some(hostile.HEADERS, A_ROUTE if name != SLOW else 3, name):
        call = stage.call(name)
        token = None if header == "Authorization" else call.token
        headers = {**call.headers, header: value}
        send(stage, replace(call, headers=headers, token=token), (name, header, value[:80]))


@pytest.mark.parametrize("name", sorted(name for name in WHO if "<uuid" in name and "/pois/" not in name))
def test_each_address_bears_any_id(stage: Stage, name: str) -> None:
    call = stage.call(name)
    own = call.path.split("/")
    place = next(index for index, part in enumerate(own) if len(part) == 36)
    for segment in hostile.SEGMENTS:
        path = "/".join([*own[:place], segment, *own[place + 1 :]])
        send(stage, replace(call, path=path), (name, segment[:80]))


@pytest.mark.parametrize("email", ["a" * 64 + "@" + "b." * 90 + "c", "a@" + "a" * 250, "a@b" * 80, "@" * 254])
def test_no_address_takes_long_to_be_refused(stage: Stage, email: str) -> None:
    for path in ("/auth/login", "/auth/forgot"):
        body = {"email": email, "password": "x"} if path == "/auth/login" else {"email": email}
        assert stage.desk.call("POST", path, body).status_code in (202, 401, 422)


def test_the_well_meant_calls_fill_every_field_and_parameter(stage: Stage) -> None:
    for operation in operations_of(stage.desk.app):
        name = route_name(operation.method, operation.rule)
        call = stage.call(name)
        if isinstance(operation.body, Schema) and operation.method != "PATCH" and "/pois" not in name:
            missing = set(hostile.fields_of(operation.body)) - set(hostile.members_of(call.body))
            assert missing <= NOT_FILLED.get(name, set()), name
        if operation.query is not None:
            assert set(hostile.fields_of(operation.query)) - call.query.keys() <= {"cursor"}, name
