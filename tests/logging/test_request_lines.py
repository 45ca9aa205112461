"""One line a request: what is in it, and what no client can bring into it."""

from __future__ import annotations

import ipaddress
import time
from uuid import UUID

import pytest
from flask import Flask, Response, request

from common.monitoring import tracing
from common.web import arrival, problems, requests, security

BOOKING = "018f0000-0000-7000-8000-000000000001"
PROXY = "10.0.0.1"
HOSTILE = [
    'x"\n{"level":"error"}',
    "a\r\nforged: yes",
    "\x1b[2J\x9b31m",
    "\u2028\u2029\x85\u202e",
    "anna@example.org",
    "Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl",
    "%0aforged%22",
    "x" * 5000,
]


@pytest.fixture
def app():
    app = Flask(__name__, static_folder=None)
    security.install(app, trusted_proxies=[ipaddress.ip_network(PROXY)])
    problems.install(app, {})

    @app.route("/bookings/<uuid:booking_id>", methods=["GET", "POST"])
    def booking(booking_id: UUID) -> str:
        return "x"

    @app.post("/bookings")
    def made() -> Response:
        return Response("", 201, {"Location": f"/api/v1/bookings/{BOOKING}"})

    @app.get("/people/<name>")
    def person(name: str) -> str:
        return name

    @app.get("/as/<path:principal>")
    def caller(principal: str) -> str:
        requests.note_user(request.environ, principal)
        return "x"

    @app.get("/broken")
    def broken() -> str:
        raise ValueError("Anna Bell <anna@example.org> card 4111111111111111")

    return app


def test_a_request_has_one_line_with_all_its_members(app, lines):
    headers = {
        "X-Request-Id": "request-0001",
        "X-Request-Start": f"t={time.time() - 0.25:.3f}",
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
    }
    app.test_client().get(f"/bookings/{BOOKING}", headers=headers)
    (line,) = lines()
    assert line.keys() == {
        "timestamp", "level", "service", "logger", "method", "route", "status", "durationMs", "requestId",
        "traceId", "spanId", "queueMs", "parentSpanId", "bookingId",
    }  # fmt: skip
    assert line["timestamp"].endswith("Z")
    assert len(line["timestamp"]) == 24
    assert (line["level"], line["service"], line["logger"]) == ("info", "test-service", "request")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/bookings/<uuid:booking_id>", 200)
    assert (line["requestId"], line["traceId"]) == ("request-0001", "a" * 32)
    assert line["parentSpanId"] == "b" * 16 != line["spanId"]
    assert line["bookingId"] == BOOKING
    assert 250 <= line["queueMs"] < 60_000


def test_what_a_request_was_refused_for_is_in_the_line(app, lines):
    for path in ("/nowhere", "/broken", "/people/x"):
        app.test_client().get(path)
    found = [(line["status"], line.get("code")) for line in lines() if line["logger"] == "request"]
    assert found == [(404, "NOT_FOUND"), (500, "INTERNAL_ERROR"), (200, None)]


def test_the_id_of_what_was_made_is_in_the_line(app, lines):
    app.test_client().post("/bookings")
    assert lines()[0]["bookingId"] == BOOKING


@pytest.mark.parametrize(
    "stamp", ["t=nan", "t=1e9", "t=-1.000", "1700000000.000", "t=1000000000.000", "t=inf"]
)
def test_a_stamp_that_cannot_be_is_passed_over(app, lines, stamp):
    app.test_client().get("/people/x", headers={"X-Request-Start": stamp})
    assert "queueMs" not in lines()[0]


def test_only_a_trusted_peer_stamps_and_the_servers_own_queue_counts_else(app, lines):
    client, stamp = app.test_client(), {"X-Request-Start": f"t={time.time() - 5:.3f}"}
    client.get("/people/x", headers=stamp, environ_overrides={"REMOTE_ADDR": PROXY})
    client.get("/people/x", headers=stamp, environ_overrides={"REMOTE_ADDR": "203.0.113.9"})
    arrival.note(0.125)
    try:
        client.get("/people/x")
    finally:
        arrival.note(None)
    first, second, third = lines()
    assert first["queueMs"] >= 4999, "the stamp is rounded to the millisecond"
    assert "queueMs" not in second
    assert third["queueMs"] == 125


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_a_clients_is_in_the_line(app, lines, written, text):
    client, sent = (
        app.test_client(),
        text.encode("utf-8").decode("latin-1").replace("\r", "").replace("\n", ""),
    )
    names = ("X-Request-Id", "traceparent", "tracestate", "X-Request-Start", "User-Agent", "Cookie")
    headers = [(name, sent) for name in (*names, "Referer", "Authorization", "Idempotency-Key", "X-Real-IP")]
    client.get(f"/people/{text}", query_string={"t": text, "email": text}, headers=headers)
    client.open("/people/x", method=sent[:20].strip() or "X", headers=headers)
    found = lines()
    assert len(found) == 2
    assert {line["method"] for line in found} <= {"GET", "_OTHER"}
    for part in ("anna", "forged", "eyJ", "xxxxx", "\x1b", "\x9b"):
        assert part not in written.getvalue()
    assert all(len(line["requestId"]) == 36 for line in found)


@pytest.mark.parametrize(
    "principal, user",
    [
        ("access:018f0000-0000-7000-8000-000000000002", "access:018f0000-0000-7000-8000-000000000002"),
        (f"booking:{BOOKING}", f"booking:{BOOKING}"),
        ("guest", None),
    ],
)
def test_the_user_is_an_id(app, lines, principal, user):
    app.test_client().get(f"/as/{principal}")
    assert lines()[0].get("user") == user


def test_a_user_who_is_an_address_is_a_digest(app, lines):
    app.test_client().get("/as/access:anna@example.org")
    user = lines()[0]["user"]
    assert user.startswith("access:sha256-")
    assert "anna" not in user


def test_a_failure_is_told_by_type_and_place_in_the_same_trace(app, lines, written):
    app.test_client().get("/broken")
    failure, line = lines()
    assert failure["exception"].startswith("ValueError\n  at tests/logging/test_request_lines.py:")
    assert (line["level"], line["status"]) == ("warning", 500)
    for name in ("traceId", "spanId", "requestId"):
        assert failure[name] == line[name]
    for secret in ("Anna", "anna", "4111"):
        assert secret not in written.getvalue()


def test_after_the_request_its_thread_works_for_nobody(app, lines):
    app.test_client().get("/people/x")
    assert tracing.current() is None
    assert len(lines()) == 1
