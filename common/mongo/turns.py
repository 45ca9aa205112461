"""Turns within a process: those who are about to write the same document go one after the other.

A server does not let a transaction wait for a document that another one has changed: it refuses it at once,
and also when the other one was committed since the transaction began to read. So of eight threads that sell
the same slot, seven would do their work in vain. Who waits here, before his transaction begins, does it once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager

from common.database.unavailable import StoreUnavailable


class _Turn:
    __slots__ = ("lock", "wanted_by")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.wanted_by = 0


class Turns:
    """A lock for each key that somebody wants at the moment. Safe for threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._turns: dict[Hashable, _Turn] = {}

    @contextmanager
    def taken(self, keys: Iterable[Hashable], seconds: float) -> Iterator[None]:
        """Within the block nobody else has any of `keys`. Raises StoreUnavailable when one of them is not to
        be had in `seconds`.
        """
        # in one order, so that two never wait for each other in a circle
        ordered = sorted(set(keys), key=str)
        deadline = time.monotonic() + seconds
        held: list[_Turn] = []
        wanted = [self._want(key) for key in ordered]
        try:
            for turn in wanted:
                if not turn.lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
                    raise StoreUnavailable("waited too long for a turn to write")
                held.append(turn)
            yield
        finally:
            for turn in held:
                turn.lock.release()
            self._let_go(ordered)

    def _want(self, key: Hashable) -> _Turn:
        with self._mutex:
            turn = self._turns.setdefault(key, _Turn())
            turn.wanted_by += 1
            return turn

    def _let_go(self, keys: Iterable[Hashable]) -> None:
        with self._mutex:
            for key in keys:
                turn = self._turns[key]
                turn.wanted_by -= 1
                if turn.wanted_by == 0:
                    del self._turns[key]
