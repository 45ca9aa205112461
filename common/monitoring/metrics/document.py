"""The groups of the JSON form that every service has."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from common.monitoring.metrics.view import View, ratio, whole

STATES = {0: "CLOSED", 1: "HALF_OPEN", 2: "OPEN", 3: "FORCED_OPEN", -1: "DISABLED"}
_REQUESTS, _DURATIONS = "http_requests_total", "http_request_duration_seconds"


def http(view: View, seconds: float) -> dict[str, Any]:
    """Requests, of which errors (5xx), their mean rate over `seconds`, and percentiles; the same by route."""
    requests: dict[tuple[str, str], float] = defaultdict(float)
    errors: dict[tuple[str, str], float] = defaultdict(float)
    for (method, route, status), number in view.by(_REQUESTS, "method", "route", "status").items():
        requests[method, route] += number
        if status.startswith("5"):
            errors[method, route] += number
    routes = {
        f"{method} {route}": {
            **whole({"requests": number, "errors": errors[method, route]}),
            **_percentiles(view, method=method, route=route),
        }
        for (method, route), number in requests.items()
    }
    total = sum(requests.values())
    return {
        **whole({"requests": total, "errors": sum(errors.values())}),
        "ratePerSecond": round(total / seconds, 3) if seconds > 0 else 0.0,
        **_percentiles(view),
        "inFlight": view.gauge("http_requests_in_flight"),
        "threadsBusy": view.gauge("threads_busy"),
        "routes": routes,
    }


def cache(view: View) -> dict[str, Any]:
    """By region: how often each result, and the share that needed no load."""
    regions: dict[str, dict[str, float]] = defaultdict(dict)
    for (region, result), number in view.by("cache_requests_total", "region", "result").items():
        regions[region][result] = number
    return {region: {**whole(found), "hitRate": _hit_rate(found)} for region, found in regions.items()}


def database(view: View) -> dict[str, Any]:
    """Calls of the store by operation, and the connections in use."""
    return {
        "poolInUse": view.gauge("database_pool_in_use"),
        "operations": view.durations_by("database_query_duration_seconds", "operation"),
    }


def circuit_breakers(view: View) -> dict[str, Any]:
    """By name: state, calls by outcome, and how often the state changed."""
    states = view.gauges("circuit_breaker_state", "name")
    calls: dict[str, dict[str, float]] = defaultdict(dict)
    for (name, outcome), number in view.by("circuit_breaker_calls_total", "name", "outcome").items():
        calls[name][outcome] = number
    transitions = view.by("circuit_breaker_transitions_total", "name")
    return {
        name: {
            "state": STATES.get(int(states[name])) if name in states else None,
            "calls": whole(calls[name]),
            **whole({"transitions": transitions.get(name, 0.0)}),
        }
        for name in sorted({*states, *calls, *transitions})
    }


def external(view: View) -> dict[str, Any]:
    """Requests to other services by service."""
    return view.durations_by("external_request_duration_seconds", "service")


def _percentiles(view: View, **wanted: str) -> dict[str, float | None]:
    found = view.durations(_DURATIONS, **wanted)
    del found["count"]
    return found


def _hit_rate(results: dict[str, float]) -> float | None:
    served = results.get("hit", 0.0) + results.get("stale", 0.0)
    return ratio(served, served + results.get("miss", 0.0))
