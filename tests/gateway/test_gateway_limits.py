from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.gateway.conftest import ORIGIN, StartGateway
from tests.gateway.gateway import Answer, Gateway, assert_problem
from tests.gateway.upstream import Upstream
from tests.servers.process import eventually


@pytest.fixture
def limited(start_gateway: StartGateway) -> Gateway:
    """1 request a second, a burst of 24; so booking has a burst of 8 and lookup of 2."""
    return start_gateway(
        GATEWAY_RATE="1", GATEWAY_BURST="24", TRUSTED_PROXIES="127.0.0.7", CORS_ORIGINS=ORIGIN
    )


def until_refused(gateway: Gateway, method: str, path: str, *, client: str) -> tuple[int, float, Answer]:
    """Return how many requests were let through, in how many seconds, and the first refusal."""
    started = time.monotonic()
    for passed in range(200):
        answer = gateway.request(method, path, {"Origin": ORIGIN}, client=client)
        if answer.status != 200:
            return passed, time.monotonic() - started, answer
    raise AssertionError("every request was let through")


def test_a_client_beyond_its_burst_is_told_when_to_come_back(limited: Gateway, ticketing: Upstream) -> None:
    before = len(ticketing.received)
    passed, seconds, refused = until_refused(limited, "GET", "/api/v1/tickets", client="127.0.1.1")
    assert 25 <= passed <= 26 + seconds  # one at once, the burst, and one for each second that it took
    assert_problem(refused, 429, "RATE_LIMITED")
    assert refused.one("Retry-After") == "1"
    assert refused.one("RateLimit-Policy") == '"default";q=24;w=24'
    assert refused.one("Access-Control-Allow-Origin") == ORIGIN
    assert len(ticketing.received) == before + passed
    assert limited.get("/api/v1/tickets", client="127.0.1.2").status == 200
    eventually(lambda: limited.get("/api/v1/tickets", client="127.0.1.1").status == 200)


@pytest.mark.parametrize(
    "path, client, most, policy, retry_after",
    [
        ("/api/v1/bookings", "127.0.1.3", 9, '"booking";q=8;w=8, "default";q=24;w=24', "1"),
        ("/api/v1//bookings/", "127.0.1.4", 9, '"booking";q=8;w=8, "default";q=24;w=24', "1"),
        ("/api/v1/bookings/lookup", "127.0.1.5", 3, '"lookup";q=2;w=120, "default";q=24;w=24', "60"),
    ],
)
def test_booking_and_lookup_are_limited_tighter(
    limited: Gateway, path: str, client: str, most: int, policy: str, retry_after: str
) -> None:
    passed, seconds, refused = until_refused(limited, "POST", path, client=client)
    assert most <= passed <= most + 1 + seconds
    assert_problem(refused, 429, "RATE_LIMITED")
    assert refused.one("RateLimit-Policy") == policy
    assert refused.one("Retry-After") == retry_after
    assert limited.request("GET", path, client=client).status == 200


def test_a_key_of_a_reseller_is_limited_over_all_addresses(limited: Gateway) -> None:
    def asked(key: str, client: str) -> Answer:
        return limited.get("/api/v1/tickets", {"Authorization": f"Bearer {key}"}, client=client)

    started = time.monotonic()
    key, passed = f"otk_{'a' * 49}", 0
    # fewer from each address than a client may send
    for client in (f"127.0.2.{1 + number // 5}" for number in range(200)):
        refused = asked(key, client)
        if refused.status != 200:
            break
        passed += 1
    assert 25 <= passed <= 26 + time.monotonic() - started
    assert_problem(refused, 429, "RATE_LIMITED")
    assert refused.one("RateLimit-Policy") == '"default";q=24;w=24, "reseller";q=24;w=24'
    assert refused.one("Retry-After") == "1"
    assert asked(f"otk_{'A' * 49}", client).status == 200
    assert limited.get("/api/v1/tickets", client=client).status == 200
    eventually(lambda: asked(key, client).status == 200)


@pytest.mark.parametrize(
    "step, client",
    [
        ("login", "127.0.1.21"),
        ("mfa/verify", "127.0.1.22"),
        ("forgot", "127.0.1.23"),
        ("reset", "127.0.1.24"),
    ],
)
def test_signing_in_is_limited_tighter(
    start_gateway: StartGateway, ticketing: Upstream, step: str, client: str
) -> None:
    gateway = start_gateway(
        {},
        "--upstream",
        f"admin=127.0.0.1:{ticketing.port}",
        GATEWAY_RATE="1",
        GATEWAY_BURST="24",
        CORS_ORIGINS=ORIGIN,
    )
    passed, seconds, refused = until_refused(gateway, "POST", f"/api/v1/admin/auth/{step}", client=client)
    assert 5 <= passed <= 6 + seconds
    assert_problem(refused, 429, "RATE_LIMITED")
    assert refused.one("RateLimit-Policy") == '"sign-in";q=4;w=240, "default";q=24;w=24'
    assert refused.one("Retry-After") == "60"
    assert gateway.request("POST", "/api/v1/admin/auth/refresh", client=client).status == 200


def test_an_ipv6_customer_is_limited_by_network_and_an_ipv4_one_by_address(limited: Gateway) -> None:
    def statuses(addresses: Iterator[str]) -> list[int]:
        headers = ({"X-Forwarded-For": address} for address in addresses)
        return [
            limited.request("POST", "/api/v1/bookings/lookup", h, client="127.0.0.7").status for h in headers
        ]

    assert 429 in statuses(f"2001:db8:0:1:{n:x}::{n:x}" for n in range(1, 7))
    assert 429 not in statuses(f"2001:db8:0:{n:x}::1" for n in range(2, 8))
    assert 429 not in statuses(f"203.0.113.{n}" for n in range(1, 7))
    assert 429 not in statuses(f"::ffff:198.51.100.{n}" for n in range(1, 7))


def test_one_client_cannot_hold_every_connection(start_gateway: StartGateway, ticketing: Upstream) -> None:
    gateway = start_gateway({"limit_conn concurrent 65535;": "limit_conn concurrent 3;"})
    refused: list[Answer] = []

    def hang() -> None:
        answer = gateway.get("/api/v1/many/hang", client="127.0.1.6")
        if answer.status != 200:
            refused.append(answer)

    threads = [threading.Thread(target=hang) for _ in range(5)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(refused) == 2, what="the refusal of the fourth and fifth")
    assert_problem(refused[0], 429, "RATE_LIMITED")
    assert gateway.get("/api/v1/tickets", client="127.0.1.7").status == 200
    ticketing.release()
    for thread in threads:
        thread.join()
    ticketing.hold()
    assert len(refused) == 2


def test_a_body_beyond_one_megabyte_is_refused_unread(gateway: Gateway, ticketing: Upstream) -> None:
    before = len(ticketing.received)
    assert_problem(gateway.request("POST", "/api/v1/x", body=b"x" * 1_048_577), 413, "CONTENT_TOO_LARGE")
    declared = b"POST /api/v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\n\r\n"
    assert_problem(gateway.raw(declared), 413, "CONTENT_TOO_LARGE")
    chunked = b"POST /api/v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert_problem(gateway.raw(chunked + b"100001\r\n" + b"x" * 0x100001), 413, "CONTENT_TOO_LARGE")
    assert len(ticketing.received) == before
    assert gateway.request("POST", "/api/v1/x", body=b"x" * 1_048_576).json()["bodyBytes"] == 1_048_576


def test_long_addresses_and_headers_are_refused(gateway: Gateway) -> None:
    assert_problem(gateway.get("/api/v1/x?q=" + "a" * 9000), 414, "URI_TOO_LONG")
    assert_problem(gateway.get("/api/v1/x", {"X-Long": "a" * 9000}), 431, "HEADERS_TOO_LARGE")
    many = {f"X-Header-{n}": "a" * 1000 for n in range(60)}
    assert_problem(gateway.get("/api/v1/x", many), 431, "HEADERS_TOO_LARGE")
    assert gateway.get("/api/v1/x?q=" + "a" * 4000, {"X-Long": "a" * 4000}).status == 200


@pytest.mark.parametrize(
    "part",
    [
        b"GET /api/v1/x HTTP/1.1\r\nHost: a\r\n",
        b"POST /api/v1/slow-body HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1234",
    ],
)
def test_a_slow_sender_is_cut_off_before_it_costs_an_upstream_anything(
    start_gateway: StartGateway, ticketing: Upstream, part: bytes
) -> None:
    gateway = start_gateway(
        {
            "client_header_timeout 10s;": "client_header_timeout 300ms;",
            "client_body_timeout 10s;": "client_body_timeout 300ms;",
        }
    )
    before = len(ticketing.received)
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(part)
        try:
            end = connection.recv(100)
        except ConnectionResetError:
            end = b""
    assert end == b"" or end.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - started < 8
    assert len(ticketing.received) == before
