"""What is known of the present request: its id, its trace, the client's true address; and its log line."""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import os
import random
import re
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from flask import Request, Response, request

from common.monitoring import logs, tracing
from common.web import arrival

LOGGER = "request"
log = logging.getLogger(LOGGER)

MAX_QUEUE_SECONDS = 60.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ARRIVED = re.compile(r"t=([0-9]{1,12}\.[0-9]{3})")
_MADE = re.compile(r".*/([a-z]+)s/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_PRINCIPAL = re.compile(r"[a-z]{1,20}:[A-Za-z0-9._:|-]{1,100}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

UNMATCHED = "_unmatched"
ROUTE = "common.route"
"""Where in the environment the route's rule is to be found once the request is answered."""

_KEY, _USER = "common.request", "common.user"
_GUEST = "guest"

_random = random.Random()
os.register_at_fork(after_in_child=_random.seed)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Present(NamedTuple):
    """What is known of the present request before anything else is done.

    `waited`: seconds in this process's queue, by its own clock. `queue_ms`: since the gateway sent it.
    """

    request_id: str
    client_address: Address | None
    started: float
    waited: float | None
    queue_ms: float | None
    span: tracing.Span


def begin(environ: dict[str, Any], trusted: Sequence[Network]) -> Present:
    """Note what is known. Only a peer on loopback or in `trusted` is believed what it says of the client."""
    peer, believed = _peer(environ.get("REMOTE_ADDR", ""), tuple(trusted))
    given = environ.get("HTTP_X_REQUEST_ID", "") if believed else ""
    real = _address(environ.get("HTTP_X_REAL_IP", "")) if believed else None
    request_id = given if _REQUEST_ID.fullmatch(given) else _new_id()
    waited = arrival.waited()
    span = tracing.received(
        environ.get("HTTP_TRACEPARENT"), environ.get("HTTP_TRACESTATE"), {"requestId": request_id}
    )
    arrived = environ.get("HTTP_X_REQUEST_START") if believed else None
    present = environ[_KEY] = Present(
        request_id, real or peer, time.perf_counter(), waited, _queue_ms(arrived, waited), span
    )
    tracing.enter(span)
    return present


def end(incoming: Request, response: Response) -> Present:
    """Write the request's log line; this thread then leaves the request behind."""
    environ, rule = incoming.environ, incoming.url_rule
    present: Present = environ[_KEY]
    ids = ids_in(incoming.view_args)
    if response.status_code == 201:
        made = _MADE.fullmatch(response.headers.get("Location", ""))
        if made is not None:
            ids.setdefault(f"{made[1]}Id", made[2])
    finish(environ, present, response.status_code, UNMATCHED if rule is None else rule.rule, ids)
    return present


def finish(
    environ: dict[str, Any], present: Present, status: int, route: str, ids: Mapping[str, Any]
) -> None:
    """Write the log line of the request of `environ`, and tell what measures it its route."""
    environ[ROUTE] = route
    level, name = (logging.INFO, "info") if status < 500 else (logging.WARNING, "warning")
    if log.isEnabledFor(level):
        _write(environ, present, status, route, ids, name)
    tracing.enter(None)


def ids_in(arguments: Mapping[str, Any] | None) -> dict[str, Any]:
    """The ids in the address, such as `bookingId`."""
    # A text may be anything.
    return {_camel_case(name): value for name, value in (arguments or {}).items() if type(value) is UUID}


def note_user(environ: dict[str, Any], principal: str) -> None:
    """Remember who was found to have sent the request, such as `access:018f...`, for its log line."""
    environ[_USER] = principal


def client_address() -> Address:
    """The true client's address. On a unix socket without a proxy's word it is `::1`."""
    present: Present = request.environ[_KEY]
    return present.client_address or ipaddress.IPv6Address("::1")


def client_network() -> str:
    """What limits count by: the IPv4 address, or the /64 network of an IPv6 address."""
    address = client_address()
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


def request_id() -> str:
    """The id of the present request: in its log line, in the answer's header, in a problem's `instance`."""
    present: Present | None = request.environ.get(_KEY)
    return "" if present is None else present.request_id


def _new_id() -> str:
    """A UUIDv7 (RFC 9562 section 5.7). It has to differ, not to be secret, so the system is not asked."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = _random.getrandbits(74)
    low = 0b10 << 62 | random_bits & (1 << 62) - 1
    text = f"{milliseconds << 80 | 7 << 76 | (random_bits >> 62) << 64 | low:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _write(
    environ: dict[str, Any], present: Present, status: int, route: str, ids: Mapping[str, Any], level: str
) -> None:
    method, span = environ["REQUEST_METHOD"], present.span
    members: dict[str, Any] = {
        "method": method if method in _METHODS else "_OTHER",
        "route": route,
        "status": status,
        "durationMs": round((time.perf_counter() - present.started) * 1000, 2),
        "requestId": present.request_id,
        "traceId": span.trace_id,
        "spanId": span.span_id,
    }
    if present.queue_ms is not None:
        members["queueMs"] = present.queue_ms
    if span.parent_id:
        members["parentSpanId"] = span.parent_id
    principal: str = environ.get(_USER, _GUEST)
    if principal != _GUEST:
        members["user"] = _user(principal)
    logs.send_line(level, LOGGER, {**members, **ids})


def _queue_ms(arrived: str | None, waited: float | None) -> float | None:
    """From the gateway's stamp, else from what is known of this process's own queue."""
    found = None if arrived is None else _ARRIVED.fullmatch(arrived)
    if found is not None:
        seconds = time.time() - float(found[1])
        # A longer wait than any time-out allows is another clock's error.
        if seconds < MAX_QUEUE_SECONDS:
            return round(max(seconds, 0.0) * 1000, 1)
    return None if waited is None else round(waited * 1000, 1)


@lru_cache(maxsize=1024)
def _user(principal: str) -> str:
    """Kind and id of the credential. An id that an issuer made of an e-mail address becomes a digest."""
    if _PRINCIPAL.fullmatch(principal):
        return principal
    kind, _, subject = principal.partition(":")
    digest = hashlib.sha256(subject.encode("utf-8", "backslashreplace")).hexdigest()
    return f"{kind}:sha256-{digest[:16]}"


@lru_cache(maxsize=256)
def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


@lru_cache(maxsize=1024)
def _peer(text: str, trusted: tuple[Network, ...]) -> tuple[Address | None, bool]:
    """The peer's address, and whether it is believed."""
    peer = _address(text)
    return peer, peer is not None and (peer.is_loopback or any(peer in network for network in trusted))


@lru_cache(maxsize=4096)
def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
