"""Public answers, and what of them reached the service."""

from __future__ import annotations

import time

from tests.gateway.service import PUBLIC
from tests.gateway.upstream import Prepared, Upstream
from tests.servers.process import eventually

SEARCH = "/api/v1/tickets"


def public(body: bytes, *more: tuple[str, str], seconds: float = 0.0) -> Prepared:
    return Prepared(body, headers=[*PUBLIC, *more], seconds=seconds)


def stay_within_half_a_minute(seconds: float = 3.0) -> None:
    """Wait until the gateway's keys stay the same for so long: at each half minute it begins anew."""
    eventually(lambda: time.time() % 30 < 30 - seconds)


def asked(upstream: Upstream, target: str) -> list[dict[str, str]]:
    """The headers of each request for `target` that reached the service."""
    return [dict(request["headers"]) for request in upstream.received if request["path"] == target]
