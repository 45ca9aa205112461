"""Around every request: whose address is believed, what the log says, what it never says."""

from __future__ import annotations

import io
import ipaddress
import logging

import orjson
import pytest
from flask import Flask

from common.monitoring import logs
from common.web import problems, security

PROXY = ipaddress.ip_network("10.0.0.0/8")


@pytest.fixture
def app():
    app = Flask(__name__, static_folder=None)
    security.install(app, trusted_proxies=[PROXY])
    problems.install(app, {})

    @app.get("/who/<name>")
    def who(name):
        return security.client_network()

    @app.post("/fail")
    def fail():
        return str(1 // 0)

    return app


@pytest.fixture
def lines():
    """The log lines that are written, as they are read back."""
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level
    logs.install("test-service", "info", stream)
    yield lambda: [orjson.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], root.level = before


def ask(app, peer, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get("/who/x", headers=names, environ_overrides={"REMOTE_ADDR": peer})


@pytest.mark.parametrize(
    "peer, real, network",
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("127.0.0.1", "rubbish", "127.0.0.1"),
        ("127.0.0.1", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("", "203.0.113.9", "::/64"),
    ],
)
def test_only_a_trusted_peer_says_who_the_client_is(app, peer, real, network):
    assert ask(app, peer, X_Real_IP=real, X_Forwarded_For="192.0.2.1").text == network


def test_a_request_id_is_taken_from_a_trusted_peer_when_it_is_well_formed(app):
    assert ask(app, "127.0.0.1", X_Request_Id="abcdef-12345").headers["X-Request-Id"] == "abcdef-12345"
    for peer, given in [("198.51.100.1", "abcdef-12345"), ("127.0.0.1", "short"), ("127.0.0.1", "a b" * 9)]:
        made = ask(app, peer, X_Request_Id=given).headers["X-Request-Id"]
        assert made != given
        assert len(made) == 36


def test_one_line_a_request_without_its_path_query_or_client(app, lines):
    app.test_client().get("/who/anna%0Aforged?token=secret")
    app.test_client().open("/nowhere/anna", method="BREW")
    first, second = lines()
    assert (first["method"], first["route"], first["status"]) == ("GET", "/who/<name>", 200)
    assert first["durationMs"] >= 0
    assert (second["method"], second["route"]) == ("_OTHER", "_unmatched")
    assert not any(word in repr((first, second)) for word in ("anna", "secret", "127.0.0.1"))


def test_a_failure_is_logged_with_the_request_id_and_answered_without_detail(app, lines):
    answer = app.test_client().post("/fail")
    failure, request = lines()
    assert answer.json["code"] == "INTERNAL_ERROR"
    assert "ZeroDivisionError" in failure["exception"]
    assert failure["requestId"] == request["requestId"] == answer.json["instance"]
    assert "Zero" not in answer.text


def test_a_record_with_line_breaks_is_still_one_line(lines):
    logging.getLogger("x").info("two\nlines\r\n%s", "\u2028", extra={"odd": {1: object()}})
    (line,) = lines()
    assert line["message"] == "two\nlines\r\n\u2028"
    assert line["service"] == "test-service"
