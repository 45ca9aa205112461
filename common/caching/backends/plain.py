"""The verbs of flask-caching itself, over entries: what `@cache.cached` and `@cache.memoize` call."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from flask_caching.backends.base import BaseCache

from common.caching.backends.port import CacheAway, Found
from common.caching.entries import Entry, Life, Place
from common.caching.values import JSON_OR_BYTES, UnreadableValue
from common.clock import Clock, system_clock

PLAIN = "plain"
"""The region of what came through flask-caching's own verbs; it ends with a flush of everything."""

_FOR_EVER_SECONDS = 10 * 365 * 86_400.0


class PlainVerbs(BaseCache):
    """JSON values or bytes under plain keys. A carrier that is away has nothing and keeps nothing."""

    now: Callable[[], float] = staticmethod(time.time)

    def use_clock(self, clock: Clock) -> None:
        """Whose seconds since 1970 `now` gives."""
        if clock is not system_clock:  # which cuts to milliseconds, and that takes its time
            self.now = lambda: clock().timestamp()

    @abstractmethod
    def look(self, place: Place) -> Found: ...

    @abstractmethod
    def look_to_load(self, place: Place) -> Found: ...

    @abstractmethod
    def keep(self, place: Place, entry: Entry, capture: Any) -> bool: ...

    @abstractmethod
    def remove(self, place: Place) -> bool: ...

    @abstractmethod
    def flush(self, region: str | None) -> None: ...

    def get(self, key: str) -> Any:
        """The value, or None."""
        try:
            entry = self.look(Place(PLAIN, key)).entry
            if entry is None or entry.life.dead_at <= self.now():
                return None
            return JSON_OR_BYTES.loads(entry.body)
        except (CacheAway, UnreadableValue):
            return None

    def set(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Keep `value` for `timeout` seconds (0: without end); whether it was kept. Raises TypeError for what
        is neither JSON nor bytes.
        """
        body = JSON_OR_BYTES.dumps(value)
        try:
            return self._keep(key, body, timeout, self.look_to_load(Place(PLAIN, key)))
        except CacheAway:
            return False

    def add(self, key: str, value: Any, timeout: Any = None) -> bool:
        """`set`, unless there is a value."""
        return self.get(key) is None and self.set(key, value, timeout)

    def delete(self, key: str) -> bool:
        """Whether there was a value."""
        try:
            return self.remove(Place(PLAIN, key))
        except CacheAway:
            return False

    def has(self, key: str) -> bool:
        """Whether there is a value."""
        return self.get(key) is not None

    def clear(self) -> bool:
        """End every entry, of all regions."""
        try:
            self.flush(None)
        except CacheAway:
            return False
        return True

    # Built of the verbs above; a base of Redis would go round them.
    get_many = BaseCache.get_many
    set_many = BaseCache.set_many
    delete_many = BaseCache.delete_many
    inc = BaseCache.inc
    dec = BaseCache.dec

    def _keep(self, key: str, body: bytes, timeout: Any, found: Found) -> bool:
        if found.capture is None:
            return False
        seconds = float(self._normalize_timeout(timeout))
        now = self.now()
        dead_at = now + (seconds if seconds > 0 else _FOR_EVER_SECONDS)
        entry = Entry(b"", Life(now, dead_at, dead_at), absent=False, body=body)
        return self.keep(Place(PLAIN, key), entry, found.capture)
