"""What is measured in every service: the one source of the names, their labels and their meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
Mode = Literal["livesum", "livemax", "max", "mostrecent"]
"""How the gauges of several processes become one (prometheus_client's words): the sum or the greatest of
those that live, the greatest ever, or the one that was set last."""

REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.175, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0)
QUERY_BUCKETS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
EXTERNAL_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One metric; its full name has the service's prefix before `name`.

    `mode` is for gauges, `buckets` (seconds) for histograms. `kept_as_moment`: it is set to an instant, and
    shown as the seconds since then, so that it goes on growing when nobody sets it any more.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    mode: Mode | None = None
    buckets: tuple[float, ...] = ()
    kept_as_moment: bool = False


def counter(name: str, meaning: str, *labels: str) -> Definition:
    """A number that only grows; `name` ends in `_total`."""
    return Definition(name=name, kind="counter", help=meaning, labels=labels)


def gauge(
    name: str, meaning: str, *labels: str, mode: Mode = "mostrecent", kept_as_moment: bool = False
) -> Definition:
    """A number that goes up and down."""
    return Definition(
        name=name, kind="gauge", help=meaning, labels=labels, mode=mode, kept_as_moment=kept_as_moment
    )


def histogram(name: str, meaning: str, *labels: str, buckets: tuple[float, ...]) -> Definition:
    """Durations in seconds, counted by size."""
    return Definition(name=name, kind="histogram", help=meaning, labels=labels, buckets=buckets)


COMMON: tuple[Definition, ...] = (
    counter("http_requests_total", "Requests answered", "method", "route", "status"),
    histogram(
        "http_request_duration_seconds",
        "Time from a request's arrival in the app to its answer",
        "method",
        "route",
        buckets=REQUEST_BUCKETS,
    ),
    gauge("http_requests_in_flight", "Requests that are being answered", mode="livesum"),
    gauge("threads_busy", "Threads that are at work on requests", mode="livesum"),
    counter(
        "cache_requests_total",
        "Questions to the cache: hit, miss, stale (old value served), load, error",
        "region",
        "result",
    ),
    histogram(
        "database_query_duration_seconds",
        "Time of one call of the store, waiting for a connection included; on MongoDB also of each command "
        "(command.find), and of each read that a replica has answered (replica.read)",
        "operation",
        buckets=QUERY_BUCKETS,
    ),
    gauge("threads_limit", "Threads that there are for requests", mode="livesum"),
    gauge("data_free_bytes", "Free bytes where the service keeps its data"),
    gauge("database_pool_in_use", "Database connections in use", mode="livesum"),
    gauge(
        "circuit_breaker_state",
        "0 closed, 1 half-open, 2 open, 3 forced open, -1 disabled; the highest of the processes",
        "name",
        mode="livemax",
    ),
    counter("circuit_breaker_transitions_total", "Changes of a breaker's state", "name", "from", "to"),
    counter("circuit_breaker_calls_total", "Calls through a breaker by outcome", "name", "outcome"),
    histogram(
        "external_request_duration_seconds",
        "Time of one request to another service",
        "service",
        buckets=EXTERNAL_BUCKETS,
    ),
    gauge("outbox_pending", "Tasks of the outbox that wait"),
    gauge("outbox_oldest_age_seconds", "Age of the oldest task that waits", kept_as_moment=True),
    gauge(
        "worker_heartbeat_timestamp_seconds", "When the active worker last gave a sign of life", mode="max"
    ),
    gauge("job_last_success_timestamp_seconds", "When a job last succeeded", "job", mode="max"),
)
