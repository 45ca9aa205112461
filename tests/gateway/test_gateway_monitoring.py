"""Monitoring and the payment module's own calls, spelled in every way that somebody might try."""

from __future__ import annotations

import random
import re
import socket
from urllib.parse import unquote

import pytest

from tests.counts import counts
from tests.gateway.conftest import StartGateway
from tests.gateway.gateway import Gateway
from tests.gateway.upstream import Upstream

SPELLINGS = counts(small=1500, full=30_000)
HIDDEN = (
    "/api/v1/monitoring/health",
    "/api/v1/monitoring/metrics/prometheus",
    "/api/v1/monitoring/circuit-breakers/database/reset",
    "/api/admin/monitoring/health",
    "/api/v1/admin/monitoring/cache/flush",
    "/api/v1/platform/monitoring/info",
    "/api/v1/payments/p1/capture",
    "/api/v1/payments/p1/cancel",
    "/api/v1/payments/p1/refunds",
)
INSERTED = (
    "/",
    "/./",
    "//",
    "/x/../",
    "/%2e/",
    "/x/%2e%2e/",
    "/x/..%2f",
    "/x%2f../",
    ";a=b/",
    "/;/",
    "\\",
    "%5c",
    "%2f",
)
AFFIXES = (
    ".",
    "..",
    "%20",
    "+",
    "%00",
    "%0a",
    "%09",
    ";",
    ";.css",
    "%3b",
    "?",
    "#",
    "%23",
    "%3f",
    "~",
    "%c2%a0",
    "/",
    "//",
)
PREFIXES = ("http://elsewhere.example", "https://127.0.0.1:3004", "//elsewhere.example", "/x/..", "/./", "*")
HEADERS = (
    b"",
    b"X-Original-URL: /api/v1/monitoring/health\r\n",
    b"X-Rewrite-URL: /api/v1/monitoring/health\r\n",
    b"X-Forwarded-For: 127.0.0.9\r\nX-Real-IP: 127.0.0.9\r\nForwarded: for=127.0.0.9\r\n",
    b"X-Forwarded-Prefix: /api/v1/monitoring\r\nSCRIPT_NAME: /api/v1/monitoring\r\n",
    b"X-HTTP-Method-Override: POST\r\n",
)
MONITORING = re.compile(r"/(api/)?(v1/)?((admin|platform)/)?monitoring")
LOOK_ALIKES = {"i": "%c4%b1", "o": "%d0%be", "n": "%ef%bd%8e", "/": "%e2%88%95"}


def respelled(choose: random.Random, character: str) -> str:
    """One character, mostly as it is."""
    code = ord(character)
    ways = (f"%{code:02x}", f"%{code:02X}", f"%25{code:02x}", f"%2525{code:02x}", character.swapcase())
    fate = choose.random()
    if character == "/" and fate < 0.15:
        return choose.choice(INSERTED)
    if fate < 0.15:
        return choose.choice(ways)
    return LOOK_ALIKES.get(character, character) if fate < 0.16 else character


def mutated(choose: random.Random, path: str) -> str:
    """Another spelling of `path`."""
    text = "".join(respelled(choose, character) for character in path)
    if choose.random() < 0.2:
        at = choose.randrange(len(text))
        text = text[:at] + choose.choice(AFFIXES) + text[at:]
    if choose.random() < 0.2:
        text += choose.choice(AFFIXES)
    return choose.choice(PREFIXES) + text if choose.random() < 0.15 else text


def request_bytes(choose: random.Random, target: str) -> bytes:
    method = choose.choice(("GET", "GET", "POST", "HEAD", "PUT", "OPTIONS"))
    version = choose.choice((" HTTP/1.1", " HTTP/1.1", " HTTP/1.0", " HTTP/1.0", ""))
    if not version:
        return f"GET {target}\r\n".encode()
    line = f"{method} {target}{version}\r\nHost: a\r\nConnection: close\r\n".encode()
    return line + choose.choice(HEADERS) + b"Content-Length: 0\r\n\r\n"


def send(gateway: Gateway, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def meant(target: str) -> str:
    """The path that the most obliging reader would find: decoded thrice, cut at a semicolon, resolved."""
    path = target.partition("?")[0]
    for _ in range(3):
        path = unquote(path)
    parts: list[str] = []
    for part in path.replace("\\", "/").replace("\u2215", "/").lower().split("/"):
        name = part.partition(";")[0].strip(" .\t\n\x00") or part
        if name == "..":
            parts = parts[:-1]
        elif name not in ("", "."):
            parts.append(name)
    return "/" + "/".join(parts)


def assert_harmless(target: str, request: bytes) -> None:
    path = meant(target)
    assert not MONITORING.match(path), (request, target)
    if f"{path}/".startswith("/api/v1/payments/"):
        assert path.endswith("/page") or path.count("/") == 4, (request, target)


def test_the_reader_of_this_test_finds_what_is_meant() -> None:
    for text in (
        "/api/v1/monitoring/health",
        "/api/v1/x/%2e%2e/%256Donitoring;a=b/health?x",
        "/API//v1/./Monitoring./health",
        "/api/v1\\monitoring/health",
    ):
        assert meant(text) == "/api/v1/monitoring/health"


@pytest.mark.parametrize("seed", range(4))
def test_no_spelling_of_a_hidden_address_reaches_a_service(
    gateway: Gateway, ticketing: Upstream, payment: Upstream, seed: int
) -> None:
    choose = random.Random(seed)
    refused = 0
    for _ in range(SPELLINGS // 4):
        request = request_bytes(choose, mutated(choose, choose.choice(HIDDEN)))
        before = len(ticketing.received), len(payment.received)
        answer = send(gateway, request)
        for upstream, count in ((ticketing, before[0]), (payment, before[1])):
            for received in upstream.received[count:]:
                assert_harmless(received["path"], request)
        refused += b" 404 " in answer[:20] or b" 400 " in answer[:20]
    assert refused > SPELLINGS // 8


def test_without_the_rule_the_same_spellings_would_reach_it(
    start_gateway: StartGateway, ticketing: Upstream
) -> None:
    rule = '"~*^0 /+api/(v1/)?((admin|platform)/)?monitoring" 1;'
    gateway = start_gateway({rule: ""}, MONITORING_ALLOW="127.0.0.9")
    choose = random.Random(0)
    before = len(ticketing.received)
    for _ in range(200):
        send(gateway, request_bytes(choose, mutated(choose, HIDDEN[0])))
    assert any(MONITORING.match(meant(received["path"])) for received in ticketing.received[before:])


@pytest.mark.parametrize("spelling", ["/api/v1/payments/p1/page", "/api/v1/payments/p1"])
def test_what_a_payer_needs_is_still_reached(gateway: Gateway, payment: Upstream, spelling: str) -> None:
    assert gateway.get(spelling).status == 200
    assert payment.paths()[-1] == spelling
