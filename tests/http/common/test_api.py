"""A declared route, from the bytes of a request to the bytes of its answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from flask import Flask, request
from marshmallow import fields, validate

from common.auth.authenticator import Authenticator, token_expired, token_invalid
from common.auth.policy import Caller, anyone, bearer_or, proven_by, roles
from common.web import problems, security
from common.web.api import Api, operations_of, unguarded_rules
from common.web.etag import etag, require_if_match
from common.web.idempotency import Answer, Idempotency, KeyReused, Replayed
from common.web.paging import PageQuery, encode_cursor, page_of
from common.web.schemas import ApiSchema, Instant, WholeNumber, YesNo

NOON = datetime(2026, 5, 1, 12, 0, 0, 5000, tzinfo=UTC)
KEY = "k" * 16
U = str(UUID(int=1))


class Line(ApiSchema):
    unit_id = fields.UUID(required=True)
    quantity = WholeNumber(required=True, validate=validate.Range(1, 10))


class OrderIn(ApiSchema):
    title = fields.String(required=True, validate=validate.Length(1, 20))
    notes = fields.String()
    lines = fields.List(fields.Nested(Line), validate=validate.Length(max=3))
    texts = fields.Dict(fields.String(validate=validate.OneOf(["en", "nl"])), fields.String())
    gift = YesNo()


class OrderOut(ApiSchema):
    id = fields.Integer()
    title = fields.String()
    created_at = Instant()
    access_token = fields.String()


class Search(PageQuery):
    q = fields.String()
    lang = fields.String()


class FakeRefusal(Exception):
    pass


class Tokens:
    """Access tokens of these tests: `role`, or `old`."""

    def caller(self, token: str) -> Caller:
        if token == "old":
            raise token_expired()
        if token not in ("support", "gate", "platform_admin"):
            raise token_invalid()
        return Caller(kind="access", subject="7", roles=frozenset({token}))


class Store:
    """Keeps answers under keys as a store does: in the same step as the effect."""

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.answers: dict[tuple[str, str], tuple[bytes, Answer]] = {}

    def add(self, title: str, key: Idempotency | None) -> dict[str, Any]:
        if key is not None and (key.scope, key.key) in self.answers:
            fingerprint, answer = self.answers[key.scope, key.key]
            if fingerprint != key.fingerprint:
                raise KeyReused
            raise Replayed(answer)
        order = {"id": len(self.orders) + 1, "title": title, "created_at": NOON}
        self.orders.append(order)
        if key is not None:
            self.answers[key.scope, key.key] = key.fingerprint, key.render(order)
        return order


def orders_api(store: Store) -> Api:
    api = Api("orders", "/api")

    @api.route(
        "POST",
        "/orders",
        who=anyone(),
        body=OrderIn,
        answer=OrderOut,
        status=201,
        idempotency="required",
        multiline=("notes",),
        answer_suffix=lambda order: {"accessToken": f"bkt_{order['id']}"},
    )
    def create(body: dict[str, Any], idempotency: Idempotency) -> Any:
        return store.add(body["title"], idempotency)

    @api.route(
        "GET", "/orders", who=roles("support"), query=Search, answer=page_of(OrderOut), languages=("en", "nl")
    )
    def find(query: dict[str, Any], language: str) -> Any:
        return {"data": store.orders[: query["limit"]], "next_cursor": encode_cursor([language, 1])}

    @api.route("GET", "/orders/<uuid:order_id>", who=bearer_or("booking", "support"), answer=OrderOut)
    def read(order_id: UUID, caller: Caller) -> Any:
        return {"id": 1, "title": caller.principal}, {"ETag": etag(3)}

    @api.route("PUT", "/orders/<int:order_id>", who=anyone(), body=OrderIn, answer=OrderOut, if_match=True)
    def replace(order_id: int, body: dict[str, Any]) -> Any:
        return {"id": require_if_match(request.headers), "title": body["title"]}

    @api.route("DELETE", "/orders/<int:order_id>", who=anyone(), status=204)
    def remove(order_id: int) -> None:
        if order_id == 13:
            raise FakeRefusal("unlucky")
        if order_id == 14:
            raise ZeroDivisionError("secret detail")

    @api.route("POST", "/hook", who=proven_by("X-Signature"), body=bytes)
    def hook(body: bytes) -> Any:
        return {"size": len(body)}

    return api


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__, static_folder=None)
    security.install(app)
    problems.install(app, {FakeRefusal: lambda error: problems.Problem(409, "REFUSED", detail=str(error))})
    booking = {"bkt_good": Caller(kind="booking", subject="b1")}
    app.extensions["authenticator"] = Authenticator(
        Tokens(), resolvers={"bkt_": booking.get}, operator_keys=("o" * 32,)
    )
    orders_api(Store()).register(app)
    return app


@pytest.fixture
def client(app: Flask):
    return app.test_client()


def post(client: Any, body: Any, key: str | None = KEY, **more: Any) -> Any:
    headers = {"Content-Type": "application/json", **more.pop("headers", {})}
    if key is not None:
        headers["Idempotency-Key"] = key
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return client.post("/api/orders", data=data, headers=headers)


def codes(answer: Any) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in answer.json["errors"]]


def test_an_answer_is_camel_case_json_with_instants_in_milliseconds(client):
    answer = post(client, {"title": "one"})
    assert answer.status_code == 201
    assert answer.data == (
        b'{"id":1,"title":"one","createdAt":"2026-05-01T12:00:00.005Z","accessToken":"bkt_1"}'
    )
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_replay_is_the_first_answer_byte_for_byte_and_says_so(client):
    first, second = post(client, {"title": "one"}), post(client, {"title": "one"})
    assert (first.data, first.status_code) == (second.data, second.status_code)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert post(client, {"title": "one"}, key="l" * 16).json["id"] == 2


def test_derived_secrets_are_sent_but_not_stored():
    store = Store()
    app = Flask(__name__)
    problems.install(app, {})
    app.extensions["authenticator"] = Authenticator(Tokens())
    orders_api(store).register(app)
    assert b"accessToken" in post(app.test_client(), {"title": "one"}).data
    (stored,) = store.answers.values()
    assert b"accessToken" not in stored[1].body


def test_a_key_with_another_body_or_of_another_caller_is_told_apart(client):
    post(client, {"title": "one"})
    reused = post(client, {"title": "two"})
    assert (reused.status_code, reused.json["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    other = post(client, {"title": "two"}, headers={"Authorization": "Bearer support"})
    assert other.status_code == 201


def test_the_order_of_members_does_not_make_another_request(client):
    post(client, b'{"title": "one", "gift": true}')
    assert post(client, b'{"gift":true,"title":"one"}').headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    "key", ["short", "x" * 65, "with a blank in it", "ümlaut-is-not-visible", "tab\tin-the-key-here"]
)
def test_a_malformed_key_is_refused(client, key):
    answer = post(client, {"title": "one"}, key=key)
    assert (answer.status_code, answer.json["code"]) == (400, "IDEMPOTENCY_KEY_MALFORMED")


def test_a_missing_key_is_refused_where_one_is_required(client):
    answer = post(client, {"title": "one"}, key=None)
    assert (answer.status_code, answer.json["code"]) == (400, "IDEMPOTENCY_KEY_REQUIRED")


@pytest.mark.parametrize(
    "body, expected",
    [
        ({}, [("/title", "REQUIRED")]),
        ({"title": None}, [("/title", "REQUIRED")]),
        ({"title": 5}, [("/title", "WRONG_TYPE")]),
        ({"title": "x" * 21}, [("/title", "TOO_LONG")]),
        ({"title": ""}, [("/title", "TOO_SHORT")]),
        ({"title": "a", "price": 1}, [("/price", "UNKNOWN_FIELD")]),
        ({"title": "a", "gift": "true"}, [("/gift", "WRONG_TYPE")]),
        ({"title": "a", "lines": [{"unitId": "x", "quantity": 1}]}, [("/lines/0/unitId", "INVALID")]),
        ({"title": "a", "lines": [{"unitId": U, "quantity": 0}]}, [("/lines/0/quantity", "OUT_OF_RANGE")]),
        ({"title": "a", "lines": [{"unitId": U, "quantity": "2"}]}, [("/lines/0/quantity", "WRONG_TYPE")]),
        ({"title": "a", "lines": [3]}, [("/lines/0", "WRONG_TYPE")]),
        ({"title": "a", "lines": [{}] * 4}, None),
        ({"title": "a", "texts": {"xx": "b"}}, [("/texts/xx", "NOT_A_CHOICE")]),
        ({"title": "a\nb"}, [("/title", "CONTROL_CHARACTER")]),
        ({"title": "a", "notes": "line\nline"}, []),
        ({"title": "a", "notes": "bell\x07"}, [("/notes", "CONTROL_CHARACTER")]),
        ({"title": "a\x85"}, [("/title", "CONTROL_CHARACTER")]),
        ({"title": "a", "a/b~c": 1}, [("/a~1b~0c", "UNKNOWN_FIELD")]),
        ([], [("", "WRONG_TYPE")]),
        ("text", [("", "WRONG_TYPE")]),
    ],
)  # fmt: skip
def test_a_field_at_fault_is_named_by_pointer_and_code(client, body, expected):
    answer = post(client, body)
    if expected == []:
        assert answer.status_code == 201
        return
    assert (answer.status_code, answer.json["code"]) == (422, "VALIDATION_FAILED")
    assert expected is None or codes(answer) == expected


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"title": NaN}', b'{"title": "\xff"}', b"[" * 40 + b"]" * 40, b"[" * 5000]
)
def test_broken_or_bottomless_json_is_malformed(client, body):
    answer = post(client, body)
    assert (answer.status_code, answer.json["code"]) == (400, "MALFORMED_JSON")


def test_another_content_type_is_415_and_a_large_body_413(client):
    wrong = client.post("/api/orders", data="a=b", headers={"Idempotency-Key": KEY})
    assert (wrong.status_code, wrong.json["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    large = post(client, b" " * 1_000_001)
    assert (large.status_code, large.json["code"]) == (413, "CONTENT_TOO_LARGE")


@pytest.mark.parametrize(
    "query, expected",
    [
        ("limit=0", [("?limit", "OUT_OF_RANGE")]),
        ("limit=101", [("?limit", "OUT_OF_RANGE")]),
        ("limit=x", [("?limit", "WRONG_TYPE")]),
        ("nothing=1", [("?nothing", "UNKNOWN_FIELD")]),
        ("q=a&q=b", [("?q", "REPEATED")]),
        ("q=a%00b", [("?q", "CONTROL_CHARACTER")]),
        ("cursor=%21", [("?cursor", "INVALID")]),
        ("cursor=e30", [("?cursor", "INVALID")]),
        ("lang=xx", [("?lang", "NOT_A_CHOICE")]),
    ],
)
def test_a_query_parameter_at_fault_is_named(client, query, expected):
    answer = client.get(f"/api/orders?{query}", headers={"Authorization": "Bearer support"})
    assert (answer.status_code, codes(answer)) == (422, expected)


def test_a_route_without_a_query_refuses_any(client):
    answer = client.get(f"/api/orders/{UUID(int=1)}?x=1", headers={"Authorization": "Bearer bkt_good"})
    assert codes(answer) == [("?x", "UNKNOWN_FIELD")]


@pytest.mark.parametrize(
    "header, status, code",
    [
        (None, 401, "UNAUTHENTICATED"),
        ("Bearer gate", 403, "FORBIDDEN"),
        ("Bearer old", 401, "TOKEN_EXPIRED"),
        ("Bearer rubbish", 401, "TOKEN_INVALID"),
        ("Bearer bkt_bad", 401, "TOKEN_INVALID"),
        ("Bearer bkt_good", 403, "FORBIDDEN"),
        ("Basic abc", 401, "TOKEN_INVALID"),
        ("Bearer ", 401, "TOKEN_INVALID"),
        ("Bearer " + "o" * 32, 403, "FORBIDDEN"),
        ("Bearer support", 200, None),
        ("bearer platform_admin", 200, None),
    ],
)
def test_only_the_declared_roles_may_call(client, header, status, code):
    answer = client.get("/api/orders", headers={"Authorization": header} if header else {})
    assert answer.status_code == status
    if code is not None:
        assert answer.json["code"] == code
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_a_bad_token_is_never_silently_a_guest(client):
    answer = post(client, {"title": "one"}, headers={"Authorization": "Bearer rubbish"})
    assert (answer.status_code, answer.json["code"]) == (401, "TOKEN_INVALID")


def test_who_may_call_is_decided_before_the_request_is_read(client):
    answer = client.get("/api/orders?nothing=1", headers={})
    assert answer.status_code == 401


def test_the_language_is_negotiated_and_named(client):
    headers = {"Authorization": "Bearer support", "Accept-Language": "fr, nl-BE;q=0.8, en;q=0.5"}
    assert client.get("/api/orders", headers=headers).headers["Content-Language"] == "nl"
    assert client.get("/api/orders?lang=en", headers=headers).headers["Content-Language"] == "en"
    headers["Accept-Language"] = ";;q=x,\xfc;q=9"
    assert client.get("/api/orders", headers=headers).headers["Content-Language"] == "en"


def test_a_view_may_add_headers_and_knows_its_caller(client):
    answer = client.get(f"/api/orders/{UUID(int=1)}", headers={"Authorization": "Bearer bkt_good"})
    assert answer.json["title"] == "booking:b1"
    assert answer.headers["ETag"] == '"3"'


@pytest.mark.parametrize(
    "tag, status, code",
    [
        (None, 428, "PRECONDITION_REQUIRED"),
        ("*", 400, "IF_MATCH_MALFORMED"),
        ('W/"3"', 400, "IF_MATCH_MALFORMED"),
        ('"3"', 200, None),
    ],
)
def test_a_write_names_the_version_it_was_made_from(client, tag, status, code):
    headers = {"If-Match": tag} if tag else {}
    answer = client.put("/api/orders/1", json={"title": "x"}, headers=headers)
    assert answer.status_code == status
    assert answer.json.get("code") == code


def test_a_raw_body_reaches_a_view_that_proves_its_caller_itself(client):
    answer = client.post("/api/hook", data=b"{broken", headers={"Authorization": "Bearer rubbish"})
    assert answer.json == {"size": 7}


def test_refusals_and_failures_are_problem_documents(client):
    refused = client.delete("/api/orders/13")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert (refused.status_code, refused.json["code"], refused.json["detail"]) == (409, "REFUSED", "unlucky")
    assert refused.json["instance"] == refused.headers["X-Request-Id"]
    failed = client.delete("/api/orders/14")
    assert (failed.status_code, failed.json["code"]) == (500, "INTERNAL_ERROR")
    assert b"secret" not in failed.data
    assert client.delete("/api/orders/1").status_code == 204


def test_unknown_addresses_and_methods_are_problem_documents(client):
    assert client.get("/nothing").json["code"] == "NOT_FOUND"
    answer = client.patch("/api/orders")
    assert (answer.status_code, answer.json["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "POST"}
    assert client.options("/api/orders").status_code == 405


def test_a_rule_without_a_policy_is_found(app):
    assert unguarded_rules(app) == []
    app.add_url_rule("/secret", view_func=lambda: "x", endpoint="secret")
    assert unguarded_rules(app) == ["GET /secret", "OPTIONS /secret"]
    assert [operation.name for operation in operations_of(app)][:2] == ["orders.create", "orders.find"]


def test_a_declaration_that_cannot_be_is_a_type_error():
    api = Api("x")
    with pytest.raises(TypeError):
        api.route("GET", "/x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Policy"):
        api.route("GET", "/x", who=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="body must be declared"):
        api.route("POST", "/x", who=anyone())(lambda body: body)
    with pytest.raises(TypeError, match="body must be declared"):
        api.route("POST", "/x", who=anyone(), body=OrderIn)(lambda: None)
