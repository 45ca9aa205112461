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
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
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
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "_OTHER"
UNMATCHED = "_unmatched"

_KEY, _USER, _CODE = "common.request", "common.user", "common.problem"
_GUEST = "guest"

_VARIANT = "89ab"
_random = random.Random()
os.register_at_fork(after_in_child=_random.seed)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(slots=True)
class Present:
    """What is known of the present request before anything else is done. Nobody changes it; to be frozen
    would cost each request.

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
    finish(environ, present, response.status_code, UNMATCHED if rule is None else rule.rule, ids_text(ids))
    return present


def finish(environ: dict[str, Any], present: Present, status: int, route: str, ids: str) -> float:
    """Write the log line of the request of `environ`; `ids` as `ids_text` gives them. The seconds it took."""
    seconds = time.perf_counter() - present.started
    level, name = (logging.INFO, "info") if status < 500 else (logging.WARNING, "warning")
    if log.isEnabledFor(level):
        _write(environ, present, status, route, seconds, ids, name)
    tracing.enter(None)
    return seconds


def ids_in(arguments: Mapping[str, Any] | None) -> dict[str, Any]:
    """The ids in the address, such as `bookingId`."""
    # A text may be anything.
    return {_camel_case(name): value for name, value in (arguments or {}).items() if type(value) is UUID}


def ids_text(ids: Mapping[str, Any]) -> str:
    """`ids` as they stand at the end of a log line."""
    return f",{logs.members_text(ids)}" if ids else ""


def note_user(environ: dict[str, Any], principal: str) -> None:
    """Remember who was found to have sent the request, such as `access:018f...`, for its log line."""
    environ[_USER] = principal


def note_problem(code: str) -> None:
    """Remember the code of the problem that the present request is answered with, for its log line."""
    request.environ[_CODE] = code


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
    random_bits = _random.getrandbits(80)
    text = random_bits.to_bytes(10, "big").hex()
    begin = _millisecond(time.time_ns() // 1_000_000)
    return f"{begin}{text[:3]}-{_VARIANT[random_bits & 3]}{text[3:6]}-{text[6:18]}"


@lru_cache(maxsize=2)
def _millisecond(number: int) -> str:
    """The beginning of the ids that are made in it: its time, and the version."""
    text = f"{number:012x}"
    return f"{text[:8]}-{text[8:]}-7"


def _write(
    environ: dict[str, Any],
    present: Present,
    status: int,
    route: str,
    seconds: float,
    ids: str,
    level: str,
) -> None:
    """The line as text: all that is put in here is a number, or of letters that mean nothing in JSON."""
    method, span = environ["REQUEST_METHOD"], present.span
    begin = _line_begin(method if method in METHODS else OTHER_METHOD, route, status)
    queued = "" if present.queue_ms is None else f',"queueMs":{present.queue_ms:.1f}'
    parent = f',"parentSpanId":"{span.parent_id}"' if span.parent_id else ""
    principal: str = environ.get(_USER, _GUEST)
    user = "" if principal == _GUEST else f",{_user_text(principal)}"
    code = f',"code":"{environ[_CODE]}"' if status >= 400 and _CODE in environ else ""
    logs.send_line(
        level,
        LOGGER,
        f'{begin}{seconds * 1000:.2f},"requestId":"{present.request_id}","traceId":"{span.trace_id}"'
        f',"spanId":"{span.span_id}"{code}{queued}{parent}{user}{ids}',
    )


@lru_cache(maxsize=1024)
def _line_begin(method: str, route: str, status: int) -> str:
    return f'{logs.members_text({"method": method, "route": route, "status": status})},"durationMs":'


def _queue_ms(arrived: str | None, waited: float | None) -> float | None:
    """From the gateway's stamp, else from what is known of this process's own queue."""
    found = None if arrived is None else _ARRIVED.fullmatch(arrived)
    if found is not None:
        seconds = time.time() - float(found[1])
        # A longer wait than any time-out allows is another clock's error.
        if seconds < MAX_QUEUE_SECONDS:
            return max(seconds, 0.0) * 1000
    return None if waited is None else waited * 1000


@lru_cache(maxsize=1024)
def _user_text(principal: str) -> str:
    return logs.members_text({"user": _user(principal)})


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
