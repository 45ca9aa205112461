"""Calls that need nothing of a sale: what anybody may read, and what services ask each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.auth.service_tokens import ServiceTokens
from common.auth.shared_key import service_secrets
from tests.http.ticketing.shop import Shop


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request below /api/v1. `token` is the one that suits it best."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None


def plain_calls() -> dict[str, Callable[[], Call]]:
    names = (
        "health",
        "ready",
        "live",
        "info",
        "metrics",
        "metrics/prometheus",
        "circuit-breakers",
        "cache/stats",
    )
    paths = [f"/monitoring/{name}" for name in names]
    paths += ["/openapi.json", "/docs"]

    def call(path: str) -> Callable[[], Call]:
        return lambda: Call(method="GET", path=path)

    return {f"GET {path}": call(path) for path in paths}


def internal_calls(shop: Shop) -> dict[str, Callable[[], Call]]:
    """As the admin service sends them."""
    tokens = ServiceTokens(service_secrets(shop.settings), shop.clock)
    days = {"from": "2026-07-01", "to": "2026-07-31"}
    nobody = {"email": "nobody@example.org"}

    def call(method: str, path: str, **more: Any) -> Callable[[], Call]:
        return lambda: Call(
            method=method, path=f"/internal/{path}", token=tokens.issue("admin", "ticketing"), **more
        )

    return {
        "GET /internal/sales": call("GET", "sales", query=days),
        "POST /internal/people/export": call("POST", "people/export", body=nobody),
        "POST /internal/people/erase": call("POST", "people/erase", body=nobody),
    }
