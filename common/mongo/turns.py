"""Turns within a process: those who are about to write the same document go one after the other.

A server does not let a transaction wait for a document that another one has changed: it refuses it at once,
and also when the other one was committed since the transaction began to read. So of eight threads that sell
the same slot, seven would do their work in vain. Who waits here, before his transaction begins, does it once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager

from common.database.unavailable import StoreUnavailable


class Turns:
    """A queue for each key that somebody has at the moment: who came first goes first, as a lock that anybody
    may snatch lets one wait for ever among many. Safe for threads.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._queues: dict[Hashable, deque[threading.Lock]] = {}

    @contextmanager
    def taken(self, keys: Iterable[Hashable], seconds: float) -> Iterator[None]:
        """Within the block nobody else has any of `keys`. Raises StoreUnavailable when one of them is not to
        be had in `seconds`.
        """
        deadline = time.monotonic() + seconds
        held: list[Hashable] = []
        try:
            # in one order, so that two never wait for each other in a circle
            for key in sorted(set(keys), key=str):
                self._take(key, deadline)
                held.append(key)
            yield
        finally:
            for key in held:
                self._let_go(key)

    def _take(self, key: Hashable, deadline: float) -> None:
        with self._mutex:
            queue = self._queues.get(key)
            if queue is None:
                self._queues[key] = deque()
                return
            mine = threading.Lock()
            mine.acquire()
            queue.append(mine)
        if mine.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return
        with self._mutex:
            # not there any more: it was handed over just now
            if mine in queue:
                queue.remove(mine)
                raise StoreUnavailable("waited too long for a turn to write")

    def _let_go(self, key: Hashable) -> None:
        with self._mutex:
            queue = self._queues[key]
            if queue:
                queue.popleft().release()
            else:
                del self._queues[key]
