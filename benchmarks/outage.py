"""Measurements of a service whose database is gone: how soon it says so."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

from benchmarks.databases import Databases
from benchmarks.figures import Aim, Figure
from benchmarks.load import Latency, LoadFailed
from benchmarks.site import Site, running
from tests.servers.process import eventually

LOAD_SECONDS = 4
SOON_SECONDS = 0.05
IN_A_ROW = 20
MOST_MILLISECONDS = 50.0
PATIENCE_SECONDS = 60.0
FEW_CONNECTIONS = 4
"""The question is what a refusal takes, not how many fit."""


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
            # of its own, or the cache would have the answer
            path = f"/api/v1/tickets?q=nobody-asked-before-it-was-{name}"
            with _between(begin, end):
                _wait(lambda path=path: _is_refused_soon(site, path), "an open breaker")  # type: ignore[misc]
                times = _refusals(site, path)
            figures.append(
                Figure(
                    name=f"refusal while the database is {name}, P99",
                    value=_percentile(times, 99),
                    unit="ms",
                    latency=Latency(*(_percentile(times, share) for share in (50, 95, 99))),
                    aim=Aim("value", "at most", MOST_MILLISECONDS),
                    facts={"refusals": len(times)},
                )
            )
            _wait(lambda path=path: _status(site, path) == 200, "the database again")  # type: ignore[misc]
    return figures


@contextmanager
def _between(begin: Callable[[], object], end: Callable[[], object]) -> Iterator[None]:
    begin()
    try:
        yield
    finally:
        end()


def _refusals(site: Site, path: str) -> list[float]:
    """How long each refusal took, in milliseconds. Not by `wrk`, which adds to the one call that tries a
    hanging database all those that its connection could have made meanwhile. Raises LoadFailed for any other
    answer.
    """
    ends = time.monotonic() + LOAD_SECONDS

    def ask(_: int) -> list[float]:
        times = []
        with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)) as connection:
            while time.monotonic() < ends:
                began = time.perf_counter()
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                times.append((time.perf_counter() - began) * 1000)
                if answer.status != 503:
                    raise LoadFailed(f"{answer.status} while the database is gone")
        return times

    with ThreadPoolExecutor(FEW_CONNECTIONS) as pool:
        return sorted(each for times in pool.map(ask, range(FEW_CONNECTIONS)) for each in times)


def _percentile(times: list[float], share: int) -> float:
    return times[min(len(times) - 1, len(times) * share // 100)]


def _wait(condition: Callable[[], bool], what: str) -> None:
    eventually(condition, seconds=PATIENCE_SECONDS, what=what)


def _is_refused_soon(site: Site, path: str) -> bool:
    """By every process: so many answers in a row, each over a connection of its own, are no chance."""
    for _ in range(IN_A_ROW):
        began = time.monotonic()
        if _status(site, path) != 503 or time.monotonic() - began > SOON_SECONDS:
            return False
    return True


def _status(site: Site, path: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status
