"""Around every request: its id, the client's true address, the headers of its answer, its log line."""

from __future__ import annotations

import ipaddress
import logging
import re
import time
from collections.abc import Sequence

from flask import Flask, Response, g, request

from common.identifiers import uuid7

log = logging.getLogger("request")

MAX_BODY_BYTES = 1_000_000
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def install(app: Flask, *, trusted_proxies: Sequence[Network] = ()) -> None:
    """Set up request id, client address, default headers, body limit and the JSON request log for `app`."""
    trusted = tuple(trusted_proxies)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES

    def begin() -> None:
        g.started = time.perf_counter()
        peer = _address(request.remote_addr or "")
        believed = peer is not None and (peer.is_loopback or any(peer in network for network in trusted))
        given = request.headers.get("X-Request-Id", "") if believed else ""
        g.request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid7())
        real = _address(request.headers.get("X-Real-IP", "")) if believed else None
        g.client_address = real or peer

    app.before_request(begin)
    app.after_request(_end)


def client_address() -> Address:
    """The true client's address. On a unix socket without a proxy's word it is `::1`."""
    return g.client_address or ipaddress.IPv6Address("::1")


def client_network() -> str:
    """What limits count by: the IPv4 address, or the /64 network of an IPv6 address."""
    address = client_address()
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


def request_id() -> str:
    """The id of the present request; the same in the log line, the answer's header and a problem's
    `instance`."""
    return g.request_id  # type: ignore[no-any-return]


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _end(response: Response) -> Response:
    headers = response.headers
    headers["X-Request-Id"] = g.request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Cache-Control", "private, no-store")
    headers.setdefault("Referrer-Policy", "no-referrer")
    rule = request.url_rule
    log.info(
        "request",
        extra={
            "method": request.method if request.method in _METHODS else "_OTHER",
            "route": "_unmatched" if rule is None else rule.rule,
            "status": response.status_code,
            "durationMs": round((time.perf_counter() - g.started) * 1000, 2),
            "requestId": g.request_id,
        },
    )
    return response
