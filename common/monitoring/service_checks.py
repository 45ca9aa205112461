"""The health checks that every service has: its database, cache and breakers, and its worker by what that
leaves in the store."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from common.database.kinds import kind_of
from common.monitoring.checks import Check, Result, timed
from common.monitoring.memory import memory_check, workers_here
from common.parts import Parts
from common.process import Running, ServiceStore
from common.redis_options import redis_options
from common.settings import Settings

LATE_HEARTBEAT_SECONDS = 15.0
LATE_OUTBOX_SECONDS = 60.0
AnyRunning = Running[Any, Any, Any]


def health_checks(settings: Settings, running: Callable[[], AnyRunning], breakers: int) -> tuple[Check, ...]:
    """All of them; called in the master. `running`: what the process that checks stands on. `breakers`: how
    many the service has besides that of the cache.
    """
    database = kind_of(settings.database_url)
    cache = "embedded" if redis_options(settings) is None else "redis"
    return (
        database_check(lambda: running().store, database),
        cache_check(lambda: running().parts, cache),
        breakers_check(lambda: running().parts, breakers + 1),
        memory_check(os.getpid(), lambda: workers_here(running().parts.coordination)),
        worker_check(running),
    )


def database_check(bare: Callable[[], ServiceStore], kind: str) -> Check:
    """Vital: without its database, a `kind`, the service cannot serve. The breaker is not asked."""
    first = {"type": kind, "responseTimeMs": None}
    return Check(name="database", run=timed(lambda: bare().ping(), type=kind), vital=True, first=first)


def cache_check(parts: Callable[[], Parts], kind: str) -> Check:
    """Degraded while the cache, a `kind`, is away: everything is answered, by the database. The breaker is
    not asked.
    """

    def run() -> Result:
        parts().caches.backend.probe()
        return Result("healthy", {"type": kind})

    return Check(name="cache", run=run, first={"type": kind})


def breakers_check(parts: Callable[[], Parts], total: int) -> Check:
    """Degraded while one of the `total` breakers refuses calls in some process."""

    def run() -> Result:
        names = parts().breakers.open_names()
        facts = {"total": total, "open": len(names), "openBreakers": names}
        return Result("degraded" if names else "healthy", facts)

    first = {"total": total, "open": 0, "openBreakers": []}
    return Check(name="circuitBreakers", run=run, first=first, interval_seconds=0.5)


def worker_check(running: Callable[[], AnyRunning]) -> Check:
    """Degraded when no worker was heard of for 15 s, or when work waits for more than a minute."""

    def run() -> Result:
        store, now = running().store, running().ports.clock()
        heartbeat = store.outbox.heartbeat()
        _, oldest = store.outbox.depth(now)
        # a heartbeat of the moment between looking at the clock and at the store is no older than now
        age = None if heartbeat is None else max(0.0, (now - heartbeat).total_seconds())
        late = age is None or age > LATE_HEARTBEAT_SECONDS or oldest > LATE_OUTBOX_SECONDS
        facts = {"heartbeatAgeSeconds": age, "outboxOldestSeconds": oldest}
        return Result("degraded" if late else "healthy", facts)

    return Check(name="worker", run=run, first={"heartbeatAgeSeconds": None, "outboxOldestSeconds": None})
