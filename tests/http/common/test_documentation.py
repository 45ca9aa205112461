"""The OpenAPI document and its page, made from the declared routes."""

from __future__ import annotations

import base64
import hashlib
import re

import orjson
import pytest
from flask import Flask
from marshmallow import fields, validate
from openapi_spec_validator import validate as validate_document

from common.auth.policy import GUEST, anyone, bearer_or, proven_by, roles
from common.web import problems, security
from common.web.api import Api, operations_of
from common.web.documentation import documentation
from common.web.openapi import build_document
from common.web.paging import PageQuery, page_of
from common.web.problems import ProblemCode
from common.web.schemas import ApiSchema, Instant


class PartIn(ApiSchema):
    count = fields.Integer(required=True, validate=validate.Range(1, 5))
    note = fields.String(allow_none=True)


class ThingSchema(ApiSchema):
    id = fields.UUID(required=True)
    made_at = Instant(required=True)
    share = fields.Decimal(as_string=True)
    parts = fields.List(fields.Nested(PartIn))


def things() -> Api:
    api = Api("things", "/api")

    @api.route(
        "POST",
        "/things",
        who=anyone(),
        body=PartIn,
        answer=ThingSchema,
        status=201,
        idempotency="required",
        problems=("FULL",),
    )
    def create(body, idempotency):
        """Make a thing."""

    @api.route("GET", "/things", who=roles("support"), query=PageQuery, answer=page_of(ThingSchema))
    def find(query):
        """Find things."""

    @api.route(
        "PUT",
        "/things/<uuid:thing_id>",
        who=bearer_or("booking", "support"),
        body=PartIn(partial=True),
        if_match=True,
    )
    def change(thing_id, body):
        """Change a <b>thing</b>."""

    @api.route("POST", "/hook", who=proven_by("X-Signature"), body=bytes, status=204)
    def hook(body):
        """Hear about a thing."""

    return api


def document(app: Flask):
    codes = {"FULL": ProblemCode(409, "There is no room")}
    return build_document(operations_of(app), title="Things", version="1.0", codes=codes)


@pytest.fixture
def app():
    app = Flask(__name__, static_folder=None)
    security.install(app)
    problems.install(app, {})
    app.extensions["authenticator"] = NobodyKnown()
    things().register(app)
    documentation("/api", lambda: document(app)).register(app)
    return app


class NobodyKnown:
    """Every caller is a guest."""

    def caller(self, header):
        return GUEST


def test_the_document_has_every_route_and_no_other(app):
    served = app.test_client().get("/api/openapi.json")
    assert served.headers["Content-Type"] == "application/json"
    paths = served.json["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    routed = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", "{thingId}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD"}
    }
    assert described == routed


def test_the_document_follows_from_the_declarations(app):
    made = document(app)
    create = made["paths"]["/api/things"]["post"]
    assert made["openapi"] == "3.1.0"
    assert create["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/PartIn"
    }
    assert create["parameters"][0]["name"] == "Idempotency-Key"
    assert create["parameters"][0]["required"] is True
    assert "`FULL` There is no room" in create["responses"]["409"]["description"]
    assert {"201", "400", "401", "409", "413", "415", "422", "500"} <= create["responses"].keys()
    assert create["security"] == [{}, {"bearer": []}]
    find = made["paths"]["/api/things"]["get"]
    assert [parameter["name"] for parameter in find["parameters"]] == ["limit", "cursor"]
    assert find["security"] == [{"bearer": ["support"]}]
    change = made["paths"]["/api/things/{thingId}"]["put"]
    assert change["parameters"][0]["schema"] == {"type": "string", "format": "uuid"}
    assert {"403", "404", "428"} <= change["responses"].keys()
    hook = made["paths"]["/api/hook"]["post"]
    assert hook["security"] == [{"X-Signature": []}]
    assert "401" not in hook["responses"]
    thing = made["components"]["schemas"]["Thing"]["properties"]
    assert thing["madeAt"] == {"type": "string", "format": "date-time"}
    assert thing["share"]["type"] == "string"
    assert made["components"]["schemas"]["PartIn"]["properties"]["note"] == {"type": ["string", "null"]}
    assert made["components"]["schemas"]["PartIn"]["additionalProperties"] is False


def test_the_document_is_openapi_and_nothing_dangles(app):
    made = document(app)
    validate_document(made)
    for name in re.findall(r'"#/components/schemas/(\w+)"', orjson.dumps(made).decode()):
        assert name in made["components"]["schemas"]


def test_the_same_routes_make_the_same_bytes(app):
    assert orjson.dumps(document(app)) == orjson.dumps(document(app))


def test_a_problem_that_nobody_defined_is_found(app):
    with pytest.raises(KeyError, match="FULL"):
        build_document(operations_of(app), title="Things", version="1.0")


def test_the_page_needs_nothing_but_its_own_style(app):
    answer = app.test_client().get("/api/docs")
    page = answer.text
    assert answer.status_code == 200
    assert "/api/things/{thingId}" in page
    assert "&lt;b&gt;thing" in page
    (style,) = re.findall(r"<style>(.*)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script|<link|<img|style=|src=", page)
    for target in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{target}"' in page
