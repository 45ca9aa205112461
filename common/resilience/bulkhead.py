"""So many calls to one dependency at once in this process, so that a slow one cannot take every thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from common.resilience.refusals import BulkheadFull

PATIENCE_SECONDS = 1.0


class Saturation(NamedTuple):
    """How full a bulkhead is; `refused` since the process began."""

    in_use: int
    limit: int
    refused: int


class Bulkhead:
    """Admits `limit` calls. The next one waits for a place, at most `patience_seconds`; when for so long no
    call has begun or come back, it is refused at once. Safe for threads.

    So a busy dependency makes callers wait for a moment, and one that hangs does not.

    `retry_after_seconds`: what a refused caller is told to wait. Raises ValueError for a limit below 1.
    """

    def __init__(
        self,
        name: str,
        limit: int,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        retry_after_seconds: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if limit < 1:
            raise ValueError(f"the bulkhead of {name} must admit at least one call, not {limit}")
        self.name, self.limit = name, limit
        self._patience, self._retry_after = patience_seconds, retry_after_seconds
        self._monotonic = monotonic
        self._free = threading.Condition(threading.Lock())
        self._in_use = self._waiting = self._refused = 0
        self._moved_at = float("-inf")

    def enter(self) -> None:
        """Take a place; raises BulkheadFull when there is none."""
        with self._free:
            if self._in_use >= self.limit and not self._place_comes_free():
                self._refused += 1
                raise BulkheadFull(self.name, self.limit, self._retry_after)
            self._in_use += 1
            self._moved_at = self._monotonic()

    def leave(self) -> None:
        """Give the place back."""
        with self._free:
            self._in_use -= 1
            self._moved_at = self._monotonic()
            if self._waiting:
                self._free.notify()

    @contextmanager
    def place(self) -> Iterator[None]:
        """`enter` and `leave` round a block."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def saturation(self) -> Saturation:
        """How full it is now."""
        with self._free:
            return Saturation(self._in_use, self.limit, self._refused)

    def _place_comes_free(self) -> bool:
        if self._monotonic() - self._moved_at > self._patience:
            return False
        self._waiting += 1
        try:
            return self._free.wait_for(lambda: self._in_use < self.limit, self._patience)
        finally:
            self._waiting -= 1
