"""What happened to a dependency in the last minute, in numbers that cost the same however many calls there
were.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

BUCKETS = 10
SECONDS = 60.0


class Counts(NamedTuple):
    """Calls inside the window; `consecutive` failures since the last success, whenever they were."""

    calls: int = 0
    failures: int = 0
    slow: int = 0
    consecutive: int = 0

    @property
    def successes(self) -> int:
        """Calls that did not fail."""
        return self.calls - self.failures


class RollingWindow:
    """The last `seconds` in `buckets`. It counts up only: what the window holds is what was counted since the
    start of its oldest bucket, so a call touches three numbers and never a list.

    The caller hands in the time (seconds of one monotonic clock). Safe for threads; the lock is held for the
    counting alone.
    """

    __slots__ = (
        "_bucket_ends",
        "_bucket_seconds",
        "_calls",
        "_consecutive",
        "_failures",
        "_lock",
        "_marks",
        "_old_failures",
        "_slow",
    )

    def __init__(self, now: float, seconds: float = SECONDS, buckets: int = BUCKETS) -> None:
        self._lock = threading.Lock()
        self._bucket_seconds = seconds / buckets
        self._bucket_ends = now + self._bucket_seconds
        self._calls = self._failures = self._slow = self._consecutive = 0
        # The sums as they stood when each bucket began, the oldest first.
        self._marks: deque[tuple[int, int, int]] = deque([(0, 0, 0)], maxlen=buckets)
        self._old_failures = 0

    def record(self, now: float, failed: bool, slow: bool) -> int:
        """Count one call that ended at `now`; return how many failures the window holds."""
        with self._lock:
            if now >= self._bucket_ends:
                self._roll(now)
            self._calls += 1
            if failed:
                self._failures += 1
                self._consecutive += 1
            else:
                self._consecutive = 0
            if slow:
                self._slow += 1
            return self._failures - self._old_failures

    def counts(self, now: float) -> Counts:
        """What the window holds at `now`."""
        with self._lock:
            if now >= self._bucket_ends:
                self._roll(now)
            calls, failures, slow = self._marks[0]
            return Counts(
                self._calls - calls, self._failures - failures, self._slow - slow, self._consecutive
            )

    def copy(self) -> RollingWindow:
        """One that goes on from here by itself."""
        with self._lock:
            other = RollingWindow(self._bucket_ends - self._bucket_seconds)
            other._bucket_seconds, other._bucket_ends = self._bucket_seconds, self._bucket_ends
            other._calls, other._failures, other._slow = self._calls, self._failures, self._slow
            other._consecutive, other._old_failures = self._consecutive, self._old_failures
            other._marks = self._marks.copy()
            return other

    def totals(self) -> Counts:
        """All that was ever counted here; never goes down."""
        with self._lock:
            return Counts(self._calls, self._failures, self._slow, self._consecutive)

    def _roll(self, now: float) -> None:
        """Begin the bucket that holds `now`; however long it was quiet, at most all buckets are begun."""
        begun = int((now - self._bucket_ends) / self._bucket_seconds) + 1
        mark = (self._calls, self._failures, self._slow)
        self._marks.extend([mark] * min(begun, self._marks.maxlen or begun))
        self._bucket_ends += begun * self._bucket_seconds
        self._old_failures = self._marks[0][1]
