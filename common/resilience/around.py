"""What goes round each call to the world outside: breaker, bulkhead, retries, time.

What was not asked for fails like what gave no answer: callers need not know that there is a breaker.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from common.resilience.guard import Guard
from common.resilience.refusals import Refused as NotAsked

T = TypeVar("T")

Unavailable = Callable[[str, float | None], Exception]
"""Makes what is raised when a dependency is not asked, of why and of when it is worth asking again (s)."""

Timed = Callable[[str, float], None]
"""Is told of each call: the service, and how many seconds it took."""


class Around:
    """What is done round a call to `service`; what was not asked raises `unavailable`."""

    def __init__(
        self,
        service: str,
        guard: Guard,
        timed: Timed,
        unavailable: Unavailable,
        *,
        repeatable: bool = True,
    ) -> None:
        self._service, self._guard, self._timed = service, guard, timed
        self._unavailable, self._repeatable = unavailable, repeatable

    def __call__(self, call: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return self._guard.call(call, idempotent=self._repeatable)
        except NotAsked as refused:
            raise self._unavailable(str(refused), refused.retry_after_seconds) from refused
        finally:
            self._timed(self._service, time.perf_counter() - started)
