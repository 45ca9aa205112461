from __future__ import annotations

import pytest

from tests.gateway.conftest import StartGateway
from tests.gateway.gateway import Gateway, assert_problem
from tests.gateway.upstream import Upstream

BOOKING = "01890000-0000-7000-8000-000000000001"

MONITORING_SPELLINGS = [
    "/api/v1/monitoring",
    "/api/v1/monitoring/",
    "/api/v1/monitoring/health",
    "/api/v1/monitoring/health?x=1",
    "/api/v1/%6donitoring/health",
    "/api/v1/%6D%6Fnitoring/health",
    "/api/v1/%256donitoring/health",
    "/api/v1//monitoring/health",
    "//api/v1/monitoring/health",
    "/api//v1///monitoring//health",
    "/api/v1/./monitoring/health",
    "/api/v1/tickets/../monitoring/health",
    "/api/v1/tickets/..%2fmonitoring/health",
    "/api/v1/tickets/%2e%2e/monitoring/health",
    "/api/v1/tickets%2f..%2fmonitoring/health",
    "/api/v1%2fmonitoring%2fhealth",
    "/api%2Fv1%2Fmonitoring/health",
    "/api/v1/MONITORING/health",
    "/api/v1/Monitoring/health",
    "/API/V1/monitoring/health",
    "/api/v1/monitoring;a=b/health",
    "/api/v1;x/monitoring/health",
    "/api/v1/;/monitoring/health",
    "/api/v1/monitoring%3b/health",
    "/api/v1/monitoring%00/health",
    "/api/v1/monitoring%20/health",
    "/api/v1/%20monitoring/health",
    "/api/v1/monitoring./health",
    "/api/v1/monitoring%0a/health",
    "/api/v1/\\monitoring/health",
    "/api/v1/%5cmonitoring/health",
    "/api/v1/monitoring%2fhealth",
    "/api/v1/admin/../monitoring/health",
    "/api/v1/payments/../monitoring/health",
    "/api/v1/payments/%2e%2e%2fmonitoring/health",
    "/api/admin/monitoring/health",
    "/api/v1/admin/monitoring/health",
    "http://elsewhere.example/api/v1/monitoring/health",
]


@pytest.mark.parametrize("path", MONITORING_SPELLINGS)
def test_monitoring_is_not_found_from_outside_however_it_is_spelled(
    gateway: Gateway, ticketing: Upstream, payment: Upstream, path: str
) -> None:
    before = len(ticketing.received) + len(payment.received)
    answer = gateway.get(path)
    # nginx itself refuses a zero byte in a path as malformed.
    assert_problem(answer, *((400, "BAD_REQUEST") if "%00" in path else (404, "NOT_FOUND")))
    assert len(ticketing.received) + len(payment.received) == before


def test_monitoring_is_reached_from_an_allowed_address_only(gateway: Gateway) -> None:
    path = "/api/v1/monitoring/health"
    assert gateway.get(path, client="127.0.0.9").json()["path"] == path
    assert gateway.get(path, client="127.0.0.8").status == 404
    assert gateway.get(path, {"X-Forwarded-For": "127.0.0.9", "X-Real-IP": "127.0.0.9"}).status == 404
    by_proxy = {"X-Forwarded-For": "127.0.0.9"}
    assert gateway.get(path, by_proxy, client="127.0.0.7").status == 200
    assert gateway.get(path, {"X-Forwarded-For": "2001:db8:1:2::3"}, client="127.0.0.7").status == 200
    assert gateway.get(path, {"X-Forwarded-For": "127.0.0.9, 203.0.113.5"}, client="127.0.0.7").status == 404
    assert gateway.get(path, client="127.0.0.7").status == 404


def test_monitoring_is_reached_by_nobody_unless_set(start_gateway: StartGateway) -> None:
    assert_problem(start_gateway().get("/api/v1/monitoring/live", client="127.0.0.9"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "sent, forwarded",
    [
        ("/api/v1/tickets?q=a%20b&t=1", "/api/v1/tickets?q=a%20b&t=1"),
        ("/api/v1/openapi.json", "/api/v1/openapi.json"),
        ("/api/v1/docs", "/api/v1/docs"),
        ("/api/v1/health", "/api/v1/health"),
        ("/api/v1//tickets/./x/../y", "/api/v1/tickets/y"),
        ("/api/v1/%74ickets", "/api/v1/tickets"),
        ("/api/v1/tickets/a%2fb", "/api/v1/tickets/a/b"),
        ("/api/v1/paymentsummary", "/api/v1/paymentsummary"),
    ],
)
def test_ticketing_gets_the_path_that_was_judged(
    gateway: Gateway, ticketing: Upstream, sent: str, forwarded: str
) -> None:
    assert gateway.get(sent).json()["path"] == forwarded
    assert ticketing.paths()[-1] == forwarded


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_usual_method_is_forwarded_with_its_body(
    gateway: Gateway, ticketing: Upstream, method: str
) -> None:
    assert gateway.request(method, "/api/v1/tickets", body=b"x" * 70_000).status == 200
    assert (ticketing.received[-1]["method"], ticketing.received[-1]["bodyBytes"]) == (method, 70_000)


@pytest.mark.parametrize(
    "path",
    [
        "/sandbox",
        "/sandbox/settings",
        "/api/v1/payments/../../../sandbox",
        "/api/v1/admin/users",
        "/api/v1/Admin/users",
        "/api/v1/admin",
        "/api/v1/platform/pois",
        "/api/admin/users",
        "/api/platform/pois",
        "/.well-known/jwks.json",
        "/admin/password",
        "/media/x.png",
        "/api",
        "/api/v1",
        "/api/v1/payments",
        "/api/v1/payments/",
        "/.problem",
        "/index.html",
        "/api/v1/tickets/%0d%0aX-Injected:%201",
        "/api/v1/tickets/%C3%A9",
    ],
)
def test_what_nobody_serves_is_not_found(
    gateway: Gateway, ticketing: Upstream, payment: Upstream, path: str
) -> None:
    before = len(ticketing.received) + len(payment.received)
    assert_problem(gateway.get(path), 404, "NOT_FOUND")
    assert len(ticketing.received) + len(payment.received) == before


@pytest.mark.parametrize(
    "method, path", [("GET", ""), ("GET", "?x=1"), ("GET", "/page"), ("POST", "/page"), ("HEAD", "/page?s=1")]
)
def test_a_payer_reaches_the_payment_and_its_page(
    gateway: Gateway, payment: Upstream, method: str, path: str
) -> None:
    assert gateway.request(method, f"/api/v1/payments/{BOOKING}{path}").status == 200
    last = payment.received[-1]
    assert (last["method"], last["path"]) == (method, f"/api/v1/payments/{BOOKING}{path}")


@pytest.mark.parametrize(
    "method, path",
    [
        ("POST", "/api/v1/payments"),
        ("POST", "/api/v1/payments/"),
        ("POST", f"/api/v1/payments/{BOOKING}"),
        ("DELETE", f"/api/v1/payments/{BOOKING}"),
        ("PUT", f"/api/v1/payments/{BOOKING}/page"),
        ("POST", f"/api/v1/payments/{BOOKING}/capture"),
        ("POST", f"/api/v1/payments/{BOOKING}/cancel"),
        ("POST", f"/api/v1/payments/{BOOKING}/refunds"),
        ("GET", f"/api/v1/payments/{BOOKING}/refunds"),
        ("POST", f"/api/v1/payments/{BOOKING}/page/../capture"),
        ("POST", f"/api/v1/payments/{BOOKING}/%63apture"),
        ("POST", f"/api/v1/payments/{BOOKING}/capture/page"),
        ("POST", f"/api/v1/payments/{BOOKING}%2fcapture%3f/page"),
        ("POST", f"/api/v1/PAYMENTS/{BOOKING}/capture"),
        ("POST", f"/api/v1/payments//{BOOKING}//capture"),
    ],
)
def test_the_rest_of_the_payment_module_is_not_found(
    gateway: Gateway, ticketing: Upstream, payment: Upstream, method: str, path: str
) -> None:
    before = len(ticketing.received) + len(payment.received)
    assert_problem(gateway.request(method, path), 404, "NOT_FOUND")
    assert len(ticketing.received) + len(payment.received) == before


@pytest.mark.parametrize("method", ["TRACE", "FOO", "PROPFIND", "LOCK", "MKCOL"])
@pytest.mark.parametrize("path", ["/", "/api/v1/tickets", "/nowhere", f"/api/v1/payments/{BOOKING}"])
def test_other_methods_are_refused(gateway: Gateway, method: str, path: str) -> None:
    answer = gateway.request(method, path)
    assert_problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.one("Allow").startswith("GET, HEAD")


def test_the_index_names_the_documentation(gateway: Gateway) -> None:
    answer = gateway.get("/?t=1")
    assert (answer.status, answer.one("Content-Type")) == (200, "application/json")
    assert answer.json()["openapi"] == "/api/v1/openapi.json"
    assert answer.json()["docs"] == "/api/v1/docs"
    refused = gateway.request("POST", "/?t=1")
    assert_problem(refused, 405, "METHOD_NOT_ALLOWED")
    assert refused.one("Allow") == "GET, HEAD"


@pytest.mark.parametrize("address", ["/api/v1/tickets?q=mus\u00e9e", "/api/v1/tickets?q=\x7f", "/\u00e9"])
def test_an_address_that_is_not_visible_ascii_is_refused_at_the_gateway(
    gateway: Gateway, ticketing: Upstream, address: str
) -> None:
    before = ticketing.paths()
    answer = gateway.raw(f"GET {address} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert_problem(answer, 400, "BAD_REQUEST")
    assert ticketing.paths() == before
