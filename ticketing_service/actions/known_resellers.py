"""Which keys there are and what their resellers may: kept by each process, and read again when it has
changed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from common.coordination.signal import ALONE, Signal
from common.database.unavailable import StoreUnavailable
from ticketing_service.domain.resellers import Credential
from ticketing_service.storage.ports.resellers import ResellerStore

log = logging.getLogger(__name__)

LOOK_SECONDS, MISS_SECONDS = 2.0, 0.25


class KnownResellers:
    """The credentials in `store`. What was changed, by whatever process, holds when `signal` says so, and
    within two seconds at most; a key that is not known is looked for at once, but not again and again,
    whoever tries keys. With the store away what was last known stands.
    """

    def __init__(
        self, store: ResellerStore, signal: Signal = ALONE, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self.signal, self._monotonic = store, signal, monotonic
        self._lock = threading.Lock()
        self._found: Mapping[str, Credential] = {}
        self._generation: int | None = None
        self._epoch = 0
        self._look_at = self._miss_at = 0.0

    def of_key(self, hashed: str) -> Credential | None:
        """By the hash of a key. Raises StoreUnavailable when nothing was ever known."""
        if self._must_look(hashed):
            with self._lock:
                # most who waited need not look any more
                if self._must_look(hashed):
                    self._look()
        return self._found.get(hashed)

    def changed(self) -> None:
        """This process has changed something: everybody looks at the next occasion."""
        self._look_at = 0.0
        self.signal.bump()

    def _must_look(self, hashed: str) -> bool:
        now = self._monotonic()
        if self._generation is None or now >= self._look_at or self.signal.epoch() != self._epoch:
            return True
        return hashed not in self._found and now >= self._miss_at

    def _look(self) -> None:
        epoch = self.signal.epoch()
        try:
            generation = self._store.generation()
            if generation != self._generation:
                found = {each.key.hash: each for each in self._store.credentials()}
                self._found, self._generation = found, generation
            self._epoch = epoch
        except StoreUnavailable as error:
            if self._generation is None:
                raise
            log.warning("what was last known of resellers stands: %s", error)
        now = self._monotonic()
        self._look_at, self._miss_at = now + LOOK_SECONDS, now + MISS_SECONDS
