"""Measurements of a service whose database is gone: how soon it says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from benchmarks.databases import Databases
from benchmarks.figures import Aim, Figure
from benchmarks.load import refusals
from benchmarks.site import Site, running
from tests.servers.process import eventually

LOAD_SECONDS = 4
SOON_SECONDS = 0.05
IN_A_ROW = 20
MOST_MILLISECONDS = 50.0
NOT_KEPT = "/api/v1/tickets?q=nobody-asked-for-this"


def measure_outage(databases: Databases) -> list[Figure]:
    """What a caller waits for the refusal of what needs the store, once the breaker is open."""
    server = databases.server
    assert server is not None, "a file cannot be gone"
    figures = []
    with running(databases) as site:
        for name, begin, end in (
            ("killed", server.kill, server.start),
            ("frozen", server.pause, server.resume),
        ):
            with _between(begin, end):
                eventually(lambda: _is_refused_soon(site), seconds=60, what="an open breaker")
                load = refusals(site.port, NOT_KEPT, seconds=LOAD_SECONDS)
            figures.append(
                Figure(
                    name=f"refusal while the database is {name}, P99",
                    value=load.latency.p99,
                    unit="ms",
                    latency=load.latency,
                    aim=Aim("value", "at most", MOST_MILLISECONDS),
                    facts={"perSecond": round(load.per_second)},
                )
            )
            eventually(lambda: _status(site) == 200, seconds=60, what="the database again")
    return figures


@contextmanager
def _between(begin: Callable[[], object], end: Callable[[], object]) -> Iterator[None]:
    begin()
    try:
        yield
    finally:
        end()


def _is_refused_soon(site: Site) -> bool:
    """By every process: so many answers in a row are no chance."""
    for _ in range(IN_A_ROW):
        began = time.monotonic()
        if _status(site) != 503 or time.monotonic() - began > SOON_SECONDS:
            return False
    return True


def _status(site: Site) -> int:
    return httpx.get(f"{site.stack.ticketing_url}{NOT_KEPT}", timeout=30).status_code
