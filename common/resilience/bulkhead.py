"""So many calls to one dependency at once in this process, so that a slow one cannot take every thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from common.resilience.refusals import BulkheadFull


class Saturation(NamedTuple):
    """How full a bulkhead is; `refused` since the process began."""

    in_use: int
    limit: int
    refused: int


class Bulkhead:
    """Admits `limit` calls; the next is refused at once, never queued. Safe for threads.

    `retry_after_seconds`: what a refused caller is told to wait. Raises ValueError for a limit below 1.
    """

    def __init__(self, name: str, limit: int, *, retry_after_seconds: float = 1.0) -> None:
        if limit < 1:
            raise ValueError(f"the bulkhead of {name} must admit at least one call, not {limit}")
        self.name, self.limit = name, limit
        self._retry_after = retry_after_seconds
        self._lock = threading.Lock()
        self._in_use = self._refused = 0

    def enter(self) -> None:
        """Take a place; raises BulkheadFull when there is none."""
        with self._lock:
            if self._in_use < self.limit:
                self._in_use += 1
                return
            self._refused += 1
        raise BulkheadFull(self.name, self.limit, self._retry_after)

    def leave(self) -> None:
        """Give the place back."""
        with self._lock:
            self._in_use -= 1

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
        with self._lock:
            return Saturation(self._in_use, self.limit, self._refused)
