"""The health checks of this service: its database, cache and breakers, and its worker by what that leaves in
the store."""

from __future__ import annotations

from collections.abc import Callable

from common.clock import Clock
from common.monitoring.checks import Check, Result, timed
from common.parts import Parts
from ticketing_service.storage.port import Store

LATE_HEARTBEAT_SECONDS = 15.0
LATE_OUTBOX_SECONDS = 60.0


def database_check(bare: Callable[[], Store]) -> Check:
    """Vital: without its database the service cannot serve."""

    def run() -> Result:
        store = bare()
        return timed(store.ping, type=store.kind)()

    return Check(name="database", run=run, vital=True)


def cache_check(parts: Callable[[], Parts]) -> Check:
    """Degraded while the cache is away: everything is answered, by the database."""

    def run() -> Result:
        backend = parts().caches.backend
        return Result("healthy" if backend.usable else "degraded", {"type": backend.kind})

    return Check(name="cache", run=run, first={"type": "embedded"})


def breakers_check(parts: Callable[[], Parts]) -> Check:
    """Degraded while a breaker refuses calls in some process."""

    def run() -> Result:
        breakers = parts().breakers
        names = breakers.open_names()
        facts = {"total": len(breakers), "open": len(names), "openBreakers": names}
        return Result("degraded" if names else "healthy", facts)

    first = {"total": 0, "open": 0, "openBreakers": []}
    return Check(name="circuitBreakers", run=run, first=first, interval_seconds=0.5)


def worker_check(bare: Callable[[], Store], clock: Clock) -> Check:
    """Degraded when no worker was heard of for 15 s, or when work waits for more than a minute."""

    def run() -> Result:
        store, now = bare(), clock()
        heartbeat = store.outbox.heartbeat()
        _, oldest = store.outbox.depth(now)
        age = None if heartbeat is None else (now - heartbeat).total_seconds()
        late = age is None or age > LATE_HEARTBEAT_SECONDS or oldest > LATE_OUTBOX_SECONDS
        facts = {"heartbeatAgeSeconds": age, "outboxOldestSeconds": oldest}
        return Result("degraded" if late else "healthy", facts)

    return Check(name="worker", run=run, first={"heartbeatAgeSeconds": None, "outboxOldestSeconds": None})
