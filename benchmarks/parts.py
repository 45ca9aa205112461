"""Measurements of what lies below a request: breakers, caches, and a scrape after many deaths."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.figures import Aim, Figure
from common.caching.cache import Caches
from common.caching.entries import Loaded
from common.caching.rendered import RENDERED, Rendered
from common.coordination.embedded import EmbeddedCoordination
from common.parts import Parts, open_parts
from common.resilience.breaker import Breaker
from common.resilience.refusals import CircuitOpen
from tests.servers.redis import RedisServer
from ticketing_service.metrics import TicketingMetrics
from ticketing_service.wiring import BREAKERS, REGIONS

CALLS, ROUNDS = 5_000, 31
THREADS, CALL_SECONDS = 32, 0.05
DEATHS = 1_000
TOGETHER = 4
"""How many processes die at the same time: so many slots are used again and again."""
BODY = b"x" * 2_000
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsOf:
    """The settings that `open_parts` wants."""

    data_dir: Path
    service: str = "ticketing"
    redis_host: str = ""
    redis_port: int = 6379
    redis_timeout_ms: int = 200
    redis_password: str = ""
    redis_db: int = 0
    redis_sentinels: tuple[tuple[str, int], ...] = ()
    redis_master: str = ""


def measure_breaker() -> list[Figure]:
    """What a call costs more through a breaker, what a refused one costs, and that none waits for another."""
    with TemporaryDirectory() as folder, opened(PartsOf(data_dir=Path(folder))) as parts:
        spec = parts.breakers["database"].spec
        alone, wired = Breaker(replace(spec, name="alone")), parts.breakers["database"]
        refusing = Breaker(replace(spec, name="refusing"))
        refusing.set_mode("forced_open", "measured")

        def refused() -> None:
            with suppress(CircuitOpen):
                refusing.call(_nothing)

        bare, closed, told, refusal = _costs(
            _nothing, lambda: alone.call(_nothing), lambda: wired.call(_nothing), refused
        )
        return [
            Figure(
                name="call through a closed breaker",
                value=closed - bare,
                unit="us",
                aim=Aim("value", "at most", 3),
                facts={"theCallItselfUs": round(bare, 2), "withItsMetricsUs": round(told - bare, 2)},
            ),
            Figure(name="call refused by an open breaker", value=refusal, unit="us"),
            Figure(
                name=f"{THREADS} threads x {CALL_SECONDS * 1000:.0f} ms through one breaker",
                value=median(_together(wired) for _ in range(7)) * 1000,
                unit="ms",
                aim=Aim("value", "at most", 75),
            ),
        ]


def measure_cache_hits() -> list[Figure]:
    """A hit in this machine's cache and in Redis, over the network as it is used."""
    with TemporaryDirectory() as folder, RedisServer() as server:
        here, there = Path(folder) / "embedded", Path(folder) / "redis"
        settings = PartsOf(data_dir=there, redis_host=server.host, redis_port=server.port)
        with opened(PartsOf(data_dir=here)) as embedded, opened(settings) as redis:
            found = _costs(_hit(embedded.caches), _hit(redis.caches), calls=CALLS // 10)
    return [
        Figure(name=f"cache hit, {name}", value=cost, unit="us")
        for name, cost in zip(("embedded", "Redis"), found, strict=True)
    ]


def measure_scrape() -> list[Figure]:
    """A scrape when so many processes have counted and were killed: they leave numbers, and no files."""
    with TemporaryDirectory() as folder:
        metrics = TicketingMetrics(Path(folder))
        for _ in range(DEATHS // TOGETHER):
            children = [_counting_child(metrics, Path(folder)) for _ in range(TOGETHER)]
            for pid in children:
                os.waitpid(pid, 0)
        seconds, text = [], b""
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            text, _ = metrics.prometheus_text()
            seconds.append(time.perf_counter() - begun)
    counted = f'route="/things",status="200"}} {DEATHS:.1f}'
    if counted not in text.decode():
        raise AssertionError(f"the scrape has lost what the dead have counted:\n{text.decode()}")
    return [
        Figure(
            name=f"scrape after {DEATHS:,} deaths",
            value=median(seconds) * 1000,
            unit="ms",
            aim=Aim("value", "at most", 100),
            facts={"bytes": len(text)},
        )
    ]


@contextmanager
def opened(settings: PartsOf) -> Iterator[Parts]:
    """The parts of a process of the service, as it wires them."""
    parts = open_parts(settings, TicketingMetrics(settings.data_dir), BREAKERS, REGIONS, 8)
    try:
        yield parts
    finally:
        parts.close()


def _nothing() -> None:
    """What is called."""


def _hit(caches: Caches) -> Callable[[], None]:
    kept = Rendered(BODY, (("Content-Type", "text/plain"),), '"1"', time.time(), None, {})

    def load() -> Loaded:
        return Loaded(value=kept)

    def hit() -> None:
        found = caches.read("tickets", "measured", ("tag:1", "tag:2"), load, codec=RENDERED)
        assert found.body == BODY

    hit()
    return hit


def _costs(*sides: Callable[[], object], calls: int = CALLS) -> list[float]:
    """Microseconds a call of each side, in turn, by the median."""
    found: list[list[float]] = [[] for _ in sides]
    for _ in range(ROUNDS):
        for side, costs in zip(sides, found, strict=True):
            begun = time.perf_counter()
            for _ in range(calls):
                side()
            costs.append((time.perf_counter() - begun) / calls * MICROSECONDS)
    return [median(costs) for costs in found]


def _together(breaker: Breaker) -> float:
    """Seconds from the start of all threads until the last has its answer."""
    barrier = threading.Barrier(THREADS + 1)

    def call() -> None:
        barrier.wait()
        breaker.call(time.sleep, CALL_SECONDS)

    threads = [threading.Thread(target=call) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    barrier.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun


def _counting_child(metrics: TicketingMetrics, folder: Path) -> int:
    """A process that takes a slot, counts, and is killed in the middle of a request."""
    pid = os.fork()
    if pid == 0:
        try:
            metrics.attach(EmbeddedCoordination(folder / "coordination"))
            metrics.request_begins()
            metrics.request_answered("GET", "/things", 200, 0.01)
            metrics.external("mail", 0.2)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    return pid
