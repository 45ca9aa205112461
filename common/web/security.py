"""Around every request: its id, the client's true address, the headers of its answer, its log line."""

from __future__ import annotations

import ipaddress
import logging
import re
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from flask import Flask, Response, request

from common.identifiers import uuid7

log = logging.getLogger("request")

MAX_BODY_BYTES = 1_000_000
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_KEY = "common.request"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class _Present(NamedTuple):
    """What is known of the present request before anything else is done."""

    request_id: str
    client_address: Address | None
    started: float


def install(app: Flask, *, trusted_proxies: Sequence[Network] = ()) -> None:
    """Set up request id, client address, default headers, body limit and the JSON request log for `app`."""
    trusted = tuple(trusted_proxies)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES

    def begin() -> None:
        # `request` costs a look-up each time it is touched, so the environment is fetched once.
        environ = request.environ
        peer = _address(environ.get("REMOTE_ADDR", ""))
        believed = peer is not None and (peer.is_loopback or any(peer in network for network in trusted))
        given = environ.get("HTTP_X_REQUEST_ID", "") if believed else ""
        real = _address(environ.get("HTTP_X_REAL_IP", "")) if believed else None
        environ[_KEY] = _Present(
            given if _REQUEST_ID.fullmatch(given) else str(uuid7()), real or peer, time.perf_counter()
        )

    app.before_request(begin)
    app.after_request(_end)


def client_address() -> Address:
    """The true client's address. On a unix socket without a proxy's word it is `::1`."""
    present: _Present = request.environ[_KEY]
    return present.client_address or ipaddress.IPv6Address("::1")


def client_network() -> str:
    """What limits count by: the IPv4 address, or the /64 network of an IPv6 address."""
    address = client_address()
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


def request_id() -> str:
    """The id of the present request: in its log line, in the answer's header, in a problem's `instance`."""
    present: _Present | None = request.environ.get(_KEY)
    return "" if present is None else present.request_id


@lru_cache(maxsize=4096)
def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _end(response: Response) -> Response:
    environ, rule = request.environ, request.url_rule
    present: _Present = environ[_KEY]
    headers, method = response.headers, environ["REQUEST_METHOD"]
    headers["X-Request-Id"] = present.request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Cache-Control", "private, no-store")
    headers.setdefault("Referrer-Policy", "no-referrer")
    log.info(
        "request",
        extra={
            "method": method if method in _METHODS else "_OTHER",
            "route": "_unmatched" if rule is None else rule.rule,
            "status": response.status_code,
            "durationMs": round((time.perf_counter() - present.started) * 1000, 2),
            "requestId": present.request_id,
        },
    )
    return response
