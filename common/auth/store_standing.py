"""The present standing where it is decided: read again when it has moved."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from common.auth.standing import Standing
from common.database import StoreUnavailable

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0


class StoreStanding:
    """`StandingSource` over a store. `moved` counts up with each change, seen by all processes that share it;
    what others have changed is found within two seconds. With the store away the last standing stands.
    """

    def __init__(
        self,
        generation: Callable[[], int],
        read: Callable[[], Standing],
        moved: Callable[[], int],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._generation, self._read, self._moved, self._monotonic = generation, read, moved, monotonic
        self._lock = threading.Lock()
        self._standing: Standing | None = None
        self._seen, self._look_at = -1, 0.0

    def current(self) -> Standing:
        """See StandingSource."""
        moved = self._moved()
        if moved != self._seen or self._standing is None or self._monotonic() >= self._look_at:
            with self._lock:
                self._look(moved)
        return self._standing or Standing()

    def _look(self, moved: int) -> None:
        now = self._monotonic()
        if moved == self._seen and self._standing is not None and now < self._look_at:
            return  # another thread has looked while this one waited
        self._look_at = now + LOOK_SECONDS
        try:
            if self._standing is None or self._generation() != self._standing.generation:
                self._standing = self._read()
            self._seen = moved
        except StoreUnavailable as error:
            log.warning("the last known standing of credentials stands: %s", error)
