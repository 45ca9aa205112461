from __future__ import annotations

import pytest

from tests.gateway.conftest import ORIGIN
from tests.gateway.gateway import Answer, Gateway, assert_problem
from tests.servers.process import eventually

SPOOFED = {
    "Forwarded": "for=203.0.113.9;proto=https;host=evil.example",
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Server": "evil.example",
    "X-Real-IP": "203.0.113.9",
    "X-Via-Gateway": "1",
    "X-Via-Anything": "1",
    "X_Forwarded_For": "203.0.113.9",
    "Proxy": "http://evil.example",
    "Host": "evil.example",
}
PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}


def test_what_a_client_says_about_its_origin_is_dropped(gateway: Gateway) -> None:
    answer = gateway.get("/api/v1/tickets", SPOOFED, client="127.0.0.3")
    assert answer.received("X-Forwarded-For") == ["127.0.0.3"]
    assert answer.received("X-Real-IP") == ["127.0.0.3"]
    assert answer.received("X-Forwarded-Proto") == ["http"]
    assert answer.received("Host") == ["tickets.example.org"]
    assert b"evil" not in answer.body
    assert b"203.0.113.9" not in answer.body
    assert not [
        name for name, _ in answer.json()["headers"] if name.lower().startswith(("x-via", "forwarded"))
    ]


@pytest.mark.parametrize(
    "forwarded, client",
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 127.0.0.6", "203.0.113.9"),
        ("2001:db8::7", "2001:db8::7"),
        ("nonsense", "127.0.0.7"),
    ],
)
def test_a_trusted_proxy_tells_the_client_and_its_scheme(
    gateway: Gateway, forwarded: str, client: str
) -> None:
    headers = {**SPOOFED, "X-Forwarded-For": forwarded}
    answer = gateway.get("/api/v1/tickets", headers, client="127.0.0.7")
    assert answer.received("X-Forwarded-For") == [client]
    assert answer.received("X-Real-IP") == [client]
    assert answer.received("X-Forwarded-Proto") == ["https"]
    assert answer.one("Strict-Transport-Security")
    assert b"evil" not in answer.body


def test_a_clients_request_id_goes_up_and_comes_down_once(gateway: Gateway) -> None:
    answer = gateway.get("/api/v1/own-headers", {"X-Request-Id": "my-id.42_x"})
    assert answer.received("X-Request-Id") == ["my-id.42_x"]
    assert answer.one("X-Request-Id") == "my-id.42_x"
    assert_problem(gateway.get("/nowhere", {"X-Request-Id": "my-id.42_x"}), 404, "NOT_FOUND")


@pytest.mark.parametrize("sent", [None, "short", "x" * 65, 'quote"injected', "with space", "<script>1"])
def test_a_missing_or_harmful_request_id_is_replaced(gateway: Gateway, sent: str | None) -> None:
    answer = gateway.get("/api/v1/tickets", {"X-Request-Id": sent} if sent else {})
    made = answer.one("X-Request-Id")
    assert len(made) == 32
    assert made != sent
    assert answer.received("X-Request-Id") == [made]


def test_the_trace_and_the_callers_own_headers_pass(gateway: Gateway) -> None:
    sent = {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "Authorization": "Bearer x",
        "Idempotency-Key": "0123456789abcdef",
        "If-Match": '"7"',
    }
    answer = gateway.get("/api/v1/tickets", sent)
    assert {name: answer.received(name) for name in sent} == {name: [value] for name, value in sent.items()}


def assert_secure(answer: Answer, policy: str = "default-src 'none'; frame-ancestors 'none'") -> None:
    assert answer.one("X-Content-Type-Options") == "nosniff"
    assert answer.one("X-Frame-Options") == "DENY"
    assert answer.one("Referrer-Policy") == "no-referrer"
    assert answer.one("Content-Security-Policy") == policy
    assert answer.one("Permissions-Policy")
    assert answer.one("Cross-Origin-Resource-Policy") == "same-site"
    assert answer.all("Strict-Transport-Security") == []
    assert answer.all("Server") == answer.all("X-Powered-By") == []
    assert b"nginx" not in answer.body


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/tickets", "/api/v1/sold-out", "/api/v1/outage", "/nowhere", "/" + "a" * 9000]
)
def test_every_answer_carries_the_security_headers_once(gateway: Gateway, path: str) -> None:
    assert_secure(gateway.get(path))
    assert_secure(gateway.request("POST", path, PREFLIGHT, body=b"x" * 1_100_000))
    assert_secure(gateway.request("OPTIONS", path, PREFLIGHT))


def test_a_page_keeps_its_own_content_policy_and_nothing_else(gateway: Gateway) -> None:
    answer = gateway.get("/api/v1/own-headers")
    assert_secure(answer, "default-src 'self'")
    assert answer.all("Access-Control-Allow-Origin") == answer.all("Access-Control-Allow-Credentials") == []
    assert answer.all("Vary") == ["Accept-Language", "Origin"]


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/tickets", "/api/v1/own-headers", "/api/v1/sold-out", "/nowhere"]
)
def test_an_allowed_site_may_read_answers_and_errors(gateway: Gateway, path: str) -> None:
    answer = gateway.get(path, {"Origin": ORIGIN})
    assert answer.one("Access-Control-Allow-Origin") == ORIGIN
    assert "Origin" in answer.all("Vary")
    exposed = set(answer.one("Access-Control-Expose-Headers").split(", "))
    assert exposed >= {"ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"}
    assert answer.all("Access-Control-Allow-Credentials") == []


def test_a_preflight_is_answered_by_the_gateway(gateway: Gateway) -> None:
    answer = gateway.request("OPTIONS", "/api/v1/sold-out", PREFLIGHT)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.one("Access-Control-Allow-Origin") == ORIGIN
    assert set(answer.one("Access-Control-Allow-Methods").split(", ")) >= {"GET", "POST", "PATCH", "DELETE"}
    assert answer.one("Access-Control-Allow-Headers") == (
        "Authorization, Content-Type, Idempotency-Key, If-Match, Accept-Language, traceparent, X-Request-Id"
    )
    assert answer.one("Vary") == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://WWW.example.org",
        "http://www.example.org",
        "https://www.example.org:8443",
        "https://www.example.org.evil.example",
        "https://wwwxexample.org",
        "https://console.example.org",
        "null",
        f"{ORIGIN}, {ORIGIN}",
    ],
)
def test_no_other_site_is_let_in(gateway: Gateway, origin: str) -> None:
    preflight = {**PREFLIGHT, "Origin": origin}
    for answer in (
        gateway.get("/api/v1/tickets", preflight),
        gateway.request("OPTIONS", "/api/v1/x", preflight),
    ):
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]
        assert "Origin" in answer.all("Vary")


def test_the_access_log_is_json_without_queries(gateway: Gateway) -> None:
    mark = "log-mark-1"
    gateway.request(
        "POST",
        "/api/v1/bookings/x/pay?t=secret-token&email=jo@example.org",
        {"X-Request-Id": mark, "User-Agent": "secret-agent", "Referer": "https://x.example/?t=secret-token"},
        body=b"secret-body",
        client="127.0.0.4",
    )
    gateway.get("/nowhere/%C3%A9?t=secret-token", {"X-Request-Id": "log-mark-2"})
    gateway.raw(b'GET /quote"back\\\xff?t=secret-token HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    gateway.raw(b"NOT A REQUEST t=secret-token\r\n\r\n")
    written = (
        '"path":""',
        mark,
        "log-mark-2",
        "/quote",
    )  # each worker process writes its lines when it likes
    log_file = gateway.run_dir / "access.log"
    eventually(lambda: all(text in log_file.read_text() for text in written), what="the log lines")
    first = next(line for line in gateway.log() if line["requestId"] == mark)
    assert (first["method"], first["path"], first["status"]) == ("POST", "/api/v1/bookings/x/pay", 200)
    assert (first["client"], first["upstreamStatus"]) == ("127.0.0.4", "200")
    assert first["bytes"] > 0
    assert first["durationSeconds"] >= 0
    assert float(first["upstreamSeconds"]) >= 0
    second = next(line for line in gateway.log() if line["requestId"] == "log-mark-2")
    assert (second["method"], second["path"], second["status"]) == ("GET", "/nowhere/%C3%A9", 404)
    assert '/quote"back\\' in [line["path"] for line in gateway.log()]
    everything = (gateway.run_dir / "access.log").read_text() + gateway.process.output()
    assert "secret" not in everything
