"""Hostile values in every field of every route: always an answer in order, and a refusal changes nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from marshmallow import Schema

from common.web.api import operations_of
from tests.counts import counts
from tests.http.ticketing.shop import Reply
from tests.security import hostile
from tests.security.answers import check_problem
from tests.security.stage import Call, Stage, route_name, signed
from tests.security.test_policies import WHO

A_FIELD = counts(6, len(hostile.JSON_VALUES))
A_PARAMETER = counts(6, len(hostile.QUERY_VALUES))
A_ROUTE = counts(6, len(hostile.HEADERS))
SEED = 20260701
NOT_FILLED = {
    "POST /monitoring/cache/flush": {"pattern"},
    # Either of two that exclude each other, and ids of what is made by the call itself.
    "POST /vouchers": {"amount/amount", "amount/currency"},
    "POST /tickets": {"options/id", "options/units/id", "options/price/amount", "options/price/currency"},
}

Value = TypeVar("Value")


def some(values: Sequence[Value], count: int, salt: object) -> Iterator[Value]:
    """All of them at full counts; else others at each place, and the same in each run."""
    chosen = random.Random(f"{SEED} {salt}")
    return iter(chosen.sample(values, min(count, len(values))))


def judge(stage: Stage, answer: Reply, what: object) -> None:
    """A refusal is a problem document; only the payment module may be away."""
    if answer.status_code < 400:
        return
    problem = check_problem(answer, what)
    assert problem["status"] != 503 or problem["code"] in ("PAYMENT_UNAVAILABLE", "DOCUMENT_PENDING"), what


def send(stage: Stage, call: Call, what: object, **how: object) -> None:
    """The call, and a look at the store beside it."""
    before = stage.watch.digest()
    answer = stage.send(call, **how)
    judge(stage, answer, what)
    if answer.status_code >= 400 or (answer.status_code == 200 and call.method == "GET"):
        after = stage.watch.digest()
        changed = [name for name in after if after[name] != before[name]]
        assert not changed, (what, answer.status_code, changed)


def routes(*methods: str) -> list[str]:
    """Those that end something come last, as the stage is shared."""
    ends = ("DELETE /tickets/<uuid:ticket_id>", "POST /slots/<uuid:slot_id>/cancel")
    found = [name for name in WHO if name.split()[0] in methods or not methods]
    return sorted(found, key=lambda name: name in ends)


WITHOUT_BODY = {
    *(f"POST /bookings/<uuid:booking_id>/{verb}" for verb in ("confirm", "extend", "payment")),
    "POST /webhook-subscriptions/<uuid:subscription_id>/secret",
    "POST /webhook-subscriptions/<uuid:subscription_id>/deliveries/<uuid:delivery_id>/replay",
}
BODIES = [name for name in routes("POST", "PUT", "PATCH") if name not in WITHOUT_BODY]


def test_the_routes_left_out_read_no_body(stage: Stage) -> None:
    assert [stage.call(name).body for name in sorted(WITHOUT_BODY)] == [None] * len(WITHOUT_BODY)


@pytest.mark.parametrize("name", BODIES)
def test_each_field_of_a_body_bears_anything(any_stage: Stage, name: str) -> None:
    stage = any_stage
    # The look at the store costs more there.
    how_many = A_FIELD if stage.url.startswith("sqlite") else A_FIELD // 4
    body = stage.call(name).body
    for path in hostile.places(body):
        for value in some(hostile.JSON_VALUES, how_many, (name, path)):
            raw = hostile.written(body, path, value)
            call = stage.call(name)
            if name == "POST /webhooks/payment":
                call = replace(call, headers=signed(stage, raw))
            what = (name, path, value[:80])
            send(stage, call, what, data=raw, content_type="application/json")


# a webhook says more than we read, and takes what comes
@pytest.mark.parametrize("name", [name for name in BODIES if name != "POST /webhooks/payment"])
def test_members_that_are_missing_or_more_are_borne(stage: Stage, name: str) -> None:
    body = stage.call(name).body
    for path in hostile.places(body):
        if path:
            call = replace(stage.call(name), body=hostile.without(body, path))
            send(stage, call, (name, "without", path))
        here = body
        for step in path:
            here = here[step]
        strict = not name.split()[1].startswith("/octo/")  # which lets pass what it does not know
        if strict and isinstance(here, dict) and path[-1:] not in (("title",), ("description",)):
            more = hostile.replaced(body, path, {**here, "$where": 1})
            answer = stage.send(replace(stage.call(name), body=more))
            assert check_problem(answer)["code"] == "VALIDATION_FAILED", (name, path)
            pointer = "/" + "/".join(map(str, (*path, "$where")))
            assert (pointer, "UNKNOWN_FIELD") in [(e["pointer"], e["code"]) for e in answer.json["errors"]]


@pytest.mark.parametrize("name", routes("GET"))
def test_each_parameter_of_a_query_bears_anything(stage: Stage, name: str) -> None:
    call = stage.call(name)
    for parameter in (*call.query, "unknown", "limit[$gt]", "%00", "%ff"):
        if parameter == "t" and name.endswith("/pay"):
            rest = ""
        else:
            rest = "&".join(f"{key}={value}" for key, value in call.query.items() if key != parameter)
        for value in some(hostile.QUERY_VALUES, A_PARAMETER, (name, parameter)):
            query = f"{rest}&{parameter}={value}".lstrip("&")
            bare = replace(call, query={})
            send(stage, bare, (name, query[:200]), query_string=query)
    for parameter in call.query:
        twice = "&".join(f"{key}={value}" for key, value in call.query.items()) + f"&{parameter}=1"
        answer = stage.send(replace(call, query={}), query_string=twice.replace("+", "%2B"))
        if "/octo/" in call.path:
            assert check_problem(answer)["code"] == "BAD_REQUEST"
            continue
        assert ("?" + parameter, "REPEATED") in [
            (error["pointer"], error["code"]) for error in check_problem(answer)["errors"]
        ]


@pytest.mark.parametrize("name", routes())
def test_each_route_bears_any_header(stage: Stage, name: str) -> None:
    for header, value in some(hostile.HEADERS, A_ROUTE, name):
        call = stage.call(name)
        token = None if header == "Authorization" else call.token
        headers = {**call.headers, header: value}
        send(stage, replace(call, headers=headers, token=token), (name, header, value[:80]))


@pytest.mark.parametrize("name", [name for name in routes() if "<" in name])
def test_each_address_bears_any_id(stage: Stage, name: str) -> None:
    call = stage.call(name)
    own = call.path.split("/")
    for segment in hostile.SEGMENTS:
        path = "/".join([*own[:2], segment, *own[3:]])
        send(stage, replace(call, path=path), (name, segment[:80]))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "CONNECT", "HEAD", "OPTIONS", "X-Y", "{}"])
def test_a_method_that_is_not_served_is_405(stage: Stage, method: str) -> None:
    for path in ("/tickets", "/bookings", f"/bookings/{stage.held['id']}/extend", "/webhooks/payment"):
        with stage.watch.unchanged((method, path)):
            answer = stage.shop.call(method, path)
        if method == "HEAD" and answer.status_code != 405:
            assert answer.status_code in (200, 401)
            continue
        assert answer.status_code == 405, (method, path)
        assert answer.headers["Allow"]


def test_the_well_meant_calls_fill_every_field_and_parameter(stage: Stage) -> None:
    for operation in operations_of(stage.shop.app):
        name = route_name(operation.method, operation.rule)
        call = stage.call(name)
        if isinstance(operation.body, Schema) and operation.method != "PATCH" and "PUT /tickets" not in name:
            missing = set(hostile.fields_of(operation.body)) - set(hostile.members_of(call.body))
            assert missing <= NOT_FILLED.get(name, set()) | {"rules/startTimes", "rules/durationMinutes"}, (
                name
            )
        if operation.query is not None:
            assert set(hostile.fields_of(operation.query)) - call.query.keys() <= {"cursor"}, name
