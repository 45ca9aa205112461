"""The parts that a process of a service stands on: coordination, breakers, caches, metrics."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from common.caching.backends.embedded import EmbeddedBackend
from common.caching.backends.port import Backend
from common.caching.cache import Caches
from common.caching.carrier import FLUSH_EPOCH
from common.caching.regions import Region
from common.clock import system_clock
from common.coordination.embedded import EmbeddedCoordination
from common.coordination.opening import open_coordination
from common.coordination.port import Coordination
from common.monitoring.metrics.service import ServiceMetrics
from common.redis_options import RedisSettings, redis_options
from common.resilience.bulkhead import Bulkhead
from common.resilience.guard import Guard
from common.resilience.registry import Breakers
from common.resilience.retrying import Retry, RetryBudget
from common.resilience.states import CACHE_WAITS, BreakerSpec, CallRecorded, Condition, Transition

log = logging.getLogger(__name__)

CACHE = "cache"
SPARE_THREADS = 2
"""Never given to a dependency, so that `live`, `health` and cached reads are answered while one hangs."""

STATE_VALUES: dict[Condition, int] = {
    "CLOSED": 0,
    "HALF_OPEN": 1,
    "OPEN": 2,
    "FORCED_OPEN": 3,
    "DISABLED": -1,
}
"""What `circuit_breaker_state` shows."""


class PartsSettings(RedisSettings, Protocol):
    """What of the settings says how a process stands."""

    @property
    def service(self) -> str: ...
    @property
    def data_dir(self) -> Path: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Those of one process. `call_limit` is how many calls each dependency may have from it at once."""

    coordination: Coordination
    breakers: Breakers
    caches: Caches
    metrics: ServiceMetrics
    call_limit: int

    def guard(self, name: str, *, retries: bool = False) -> Guard:
        """What goes round the calls of the dependency `name`: its breaker, a bulkhead of its own and, for
        its idempotent calls, a budget of retries. Raises KeyError.
        """
        breaker = self.breakers[name]
        retry = Retry(breaker.judge, RetryBudget()) if retries else None
        return Guard(breaker, Bulkhead(name, self.call_limit), retry)

    def close(self) -> None:
        """End the threads and let go of the slot."""
        self.caches.close()
        self.breakers.stop()
        self.metrics.close()
        self.coordination.close()


def open_parts(
    settings: PartsSettings,
    metrics: ServiceMetrics,
    breakers: Iterable[BreakerSpec],
    regions: Iterable[Region],
    call_limit: int,
) -> Parts:
    """Open and start them. Once a process, after the fork; raises nothing for a dependency that is away.

    `breakers` are those of the service besides that of the cache.
    """
    redis = redis_options(settings)
    coordination = open_coordination(settings.data_dir, settings.service, redis)
    # Kept answers outlive processes: one that was killed between a commit and its invalidation left old ones
    # behind, and after a new start the database may be another one.
    coordination.bump(FLUSH_EPOCH)
    metrics.attach(coordination)
    cache = BreakerSpec(name=CACHE, timeout_seconds=settings.redis_timeout_ms / 1000, waits=CACHE_WAITS)
    known = Breakers(coordination, system_clock, (cache, *breakers))
    _show(known, metrics)
    folder = settings.data_dir / "cache" / settings.service
    backend: Backend
    if isinstance(coordination, EmbeddedCoordination):
        backend = EmbeddedBackend(folder, coordination)
    elif redis is not None:
        # Not at the top: the client's library is only wanted in memory where Redis is.
        from common.caching.backends.redis import RedisBackend  # noqa: PLC0415

        backend = RedisBackend(redis, settings.service)
    caches = Caches(backend, coordination, regions, guard=Guard(known[CACHE]), record=metrics.cache)
    known.start()
    caches.start()
    return Parts(
        coordination=coordination,
        breakers=known,
        caches=caches,
        metrics=metrics,
        call_limit=call_limit,
    )


def _show(breakers: Breakers, metrics: ServiceMetrics) -> None:
    """Let the metrics and the log follow the breakers."""

    def changed(event: Transition) -> None:
        _log_transition(event)
        metrics.breaker_transition(event.name, event.from_condition, event.to_condition)
        metrics.breaker_state(event.name, STATE_VALUES[event.to_condition])

    def called(event: CallRecorded) -> None:
        metrics.breaker_call(event.name, event.outcome)

    for name, breaker in breakers.items():
        metrics.breaker_state(name, STATE_VALUES["CLOSED"])
        breaker.on_transition(changed)
        breaker.on_call(called)


def _log_transition(event: Transition) -> None:
    before, after = event.from_condition, event.to_condition
    level = logging.WARNING if after in ("OPEN", "FORCED_OPEN", "DISABLED") else logging.INFO
    facts = {"breaker": event.name, "from": before, "to": after, "cause": event.cause}
    log.log(level, "breaker %s: %s, was %s: %s", event.name, after, before, event.cause, extra=facts)
