"""Bodies that are read as they come or may be left out, and answers that come in several formats."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response
from marshmallow import fields

from common.auth.authenticator import Authenticator
from common.auth.policy import Caller, anyone
from common.web import problems, security
from common.web.api import Api, operations_of
from common.web.csv_text import csv_lines, csv_text
from common.web.formats import told_apart_by
from common.web.openapi import build_document
from common.web.schemas import ApiSchema
from common.web.streamed import Streamed

LIMIT = 3_000_000
JSON, GEOJSON = "application/json", "application/geo+json"


class Note(ApiSchema):
    text = fields.String(load_default="nothing")


class NoTokens:
    def caller(self, token: str) -> Caller:
        raise AssertionError(token)


@pytest.fixture
def app() -> Flask:
    made = Flask(__name__)
    security.install(made)
    problems.install(made, {})
    made.extensions["authenticator"] = Authenticator(NoTokens())
    api = Api("files", "/api")

    @api.route("POST", "/files", who=anyone(), body=Streamed(("text/csv",), LIMIT))
    def take(body: Iterator[bytes]) -> Any:
        parts = [len(part) for part in body]
        return {"bytes": sum(parts), "largest": max(parts, default=0)}

    @api.route("POST", "/notes", who=anyone(), body=Note, body_optional=True)
    def note(body: dict[str, Any]) -> Any:
        return body

    @api.route("GET", "/places", who=anyone(), formats=(JSON, GEOJSON))
    def places(media_type: str) -> Response:
        return Response(b"{}", mimetype=media_type)

    api.register(made)
    return made


def send(app: Flask, raw: bytes, media_type: str = "text/csv", **environ: str) -> Any:
    return app.test_client().post(
        "/api/files",
        input_stream=io.BytesIO(raw),
        headers={"Content-Type": media_type},
        environ_overrides=environ,
    )


def test_a_long_body_comes_in_parts(app: Flask) -> None:
    answer = send(app, b"x" * 2_500_000)
    assert answer.status_code == 200
    assert answer.json["bytes"] == 2_500_000
    assert answer.json["largest"] <= 64 * 1024


def test_a_body_over_the_limit_is_refused(app: Flask) -> None:
    assert send(app, b"x" * (LIMIT + 1)).status_code == 413
    assert send(app, b"x" * LIMIT).status_code == 200


def test_a_body_that_ends_too_early_is_a_bad_request(app: Flask) -> None:
    answer = send(app, b"x" * 10, CONTENT_LENGTH="1000")
    assert (answer.status_code, answer.json["code"]) == (400, "BAD_REQUEST")


def test_a_body_of_another_type_is_refused(app: Flask) -> None:
    answer = send(app, b"x", "application/json")
    assert (answer.status_code, answer.json["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert answer.headers["Accept"] == "text/csv"


def test_a_body_may_be_left_out_where_that_is_said(app: Flask) -> None:
    client = app.test_client()
    assert client.post("/api/notes").json == {"text": "nothing"}
    assert client.post("/api/notes", json={"text": "x"}).json == {"text": "x"}
    assert client.post("/api/notes", data=b"{", headers={"Content-Type": JSON}).status_code == 400
    assert client.post("/api/notes", data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415


@pytest.mark.parametrize(
    "accept, media_type",
    [(None, JSON), ("*/*", JSON), (GEOJSON, GEOJSON), ("Application/GEO+json", GEOJSON), ("text/html", JSON)],
)
def test_the_format_is_the_one_that_accept_names(app: Flask, accept: str | None, media_type: str) -> None:
    headers = {} if accept is None else {"Accept": accept}
    assert app.test_client().get("/api/places", headers=headers).mimetype == media_type


def test_only_what_can_make_a_difference_is_told_apart() -> None:
    assert told_apart_by("text/html,application/xhtml+xml,*/*;q=0.8") == ""
    assert told_apart_by(JSON) == ""
    assert told_apart_by(GEOJSON) == GEOJSON
    assert "geo+json" in told_apart_by("application/geo+json, application/xhtml+xml")


def test_all_of_it_is_documented(app: Flask) -> None:
    paths = build_document(operations_of(app), title="t", version="1")["paths"]
    assert list(paths["/api/files"]["post"]["requestBody"]["content"]) == ["text/csv"]
    assert paths["/api/notes"]["post"]["requestBody"]["required"] is False


def test_csv_comes_line_by_line() -> None:
    rows = [("=1", 2), ("a,b", None)]
    lines = list(csv_lines(("x", "y"), rows))
    assert len(lines) == 3
    assert "".join(lines) == csv_text(("x", "y"), rows) == 'x,y\r\n\'=1,2\r\n"a,b",\r\n'
