"""Between reads and the backend: the guard, what could not be told to it, and its coming back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from common.caching.backends.port import Backend, CacheAway
from common.coordination.port import Coordination

T = TypeVar("T")

FLUSH_EPOCH = "cache.flush"
TICK_SECONDS = 0.25
PROBE_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Guard(Protocol):
    """A circuit breaker, or whatever else stands before the backend; raising means: not asked, or failed."""

    def call(self, function: Callable[[], Any], /) -> Any: ...


class Carrier:
    """Asks the backend, and mends it when it was away: then everything in it is ended before it is used.

    `start` does that in a thread, so that no request waits for it; without, one caller a second tries.
    """

    def __init__(self, backend: Backend, coordination: Coordination, guard: Guard | None) -> None:
        self.backend = backend
        self._coordination = coordination
        # What is on this machine is not waited for, and makes up for its own failures.
        self._is_remote = backend.kind == "redis"
        self._guard = guard if self._is_remote else None
        self._epoch = coordination.epoch(FLUSH_EPOCH)
        self._untold = False
        self._mending = threading.Lock()
        self._mend_at = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, also: Callable[[], None]) -> None:
        """Look after the backend, and call `also`, every TICK_SECONDS from now on."""
        self._thread = threading.Thread(target=self._tend, args=(also,), name="cache", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and let go of the backend."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2.0)
        self.backend.close()

    def ask(self, ask: Callable[[], T]) -> T:
        """What `ask` gives. Raises CacheAway, at once where the backend is known to be away."""
        if not self._is_remote:
            return ask()
        self._check()
        return self._guarded(ask)

    def tell(self, tell: Callable[[], None]) -> None:
        """Have something ended, or see to it that the backend begins anew before anything in it is served.

        The guard is not asked: a request that has no time left, or a breaker with an opinion of its own, must
        not keep what was committed from the others. Nor must what this process has yet to mend: a backend
        that answers takes it, and the others go on with what they trust.
        """
        try:
            if self.backend.away:
                self._check()
            tell()
        except CacheAway as error:
            self.backend.distrust()
            _log.warning("an invalidation did not reach the cache, which begins anew first: %s", error)
            # Over Redis the others are told by the thread: no request waits for it once more.
            self._untold = True
            if self._coordination.kind == "embedded":
                self._tell_others()

    def _check(self) -> None:
        """Raises CacheAway unless the backend can be asked."""
        epoch = self._coordination.epoch(FLUSH_EPOCH)
        if epoch != self._epoch:
            self._epoch = epoch
            self.backend.distrust()  # another process has lost an invalidation
        if not self.backend.usable and (self._thread is not None or not self._mended()):
            raise CacheAway("it was away, and is not mended yet")

    def _guarded(self, ask: Callable[[], T]) -> T:
        if self._guard is None:
            return ask()
        try:
            result: T = self._guard.call(ask)
        except CacheAway:
            raise
        except Exception as refusal:
            raise CacheAway(str(refusal)) from refusal
        return result

    def _tell_others(self) -> None:
        self._untold = False
        self._epoch = self._coordination.bump(FLUSH_EPOCH)

    def _mended(self) -> bool:
        if time.monotonic() < self._mend_at or not self._mending.acquire(blocking=False):
            return False
        try:
            self._mend_at = time.monotonic() + PROBE_SECONDS
            with suppress(CacheAway):
                self._guarded(self.backend.mend)
            return self.backend.usable
        finally:
            self._mending.release()

    def _tend(self, also: Callable[[], None]) -> None:
        probe_at = 0.0
        while not self._stop.wait(TICK_SECONDS):
            try:
                if self._untold:
                    self._tell_others()
                if not self.backend.usable:
                    self._guarded(self.backend.mend)
                elif time.monotonic() >= probe_at:
                    probe_at = time.monotonic() + PROBE_SECONDS
                    self._guarded(self.backend.probe)
            except CacheAway as error:
                _log.debug("the cache is away: %s", error)
            also()
