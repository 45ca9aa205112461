"""Whose turn it is to write to an SQLite file."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.coordination.locks import KeyLocks
from common.database.limits import STATEMENT_SECONDS
from common.database.unavailable import StoreUnavailable

POLL_SECONDS = 0.0003
HEAD, TURN = "head of the line", "turn"


class Turns:
    """Lets the writers of all processes take turns; nobody has a second one while another waits for his.

    SQLite's own lock is polled with waits that grow to 100 ms; a turn of a millisecond is what a busy sale
    needs. Whoever wants his next one must get to the head of the line first, where the other stands: else
    he would have it back before the other has looked, and one process would sell while the rest wait. The
    kernel frees both places when their holder dies.
    """

    def __init__(self, path: Path) -> None:
        self._locks = KeyLocks(path)
        self._mutex = threading.Lock()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._mutex:
            deadline = time.monotonic() + STATEMENT_SECONDS
            self._acquire(HEAD, deadline)
            try:
                self._acquire(TURN, deadline)
            finally:
                self._locks.release(HEAD)
            try:
                yield
            finally:
                self._locks.release(TURN)

    def close(self) -> None:
        """Let go of the file; it is opened again for the next turn."""
        with self._mutex:
            self._locks.close()

    def _acquire(self, key: str, deadline: float) -> None:
        while not self._locks.try_acquire(key):
            if time.monotonic() > deadline:
                raise StoreUnavailable("another process holds the database for too long")
            time.sleep(POLL_SECONDS)
