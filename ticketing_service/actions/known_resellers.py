"""Which keys there are and what their resellers may: kept by each process, and read again when it has
changed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from common.database.unavailable import StoreUnavailable
from ticketing_service.domain.resellers import Credential
from ticketing_service.storage.ports.resellers import ResellerStore

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0


class KnownResellers:
    """The credentials in `store`. What was changed, by whatever process, holds within two seconds; a key that
    was just made is good at once. With the store away what was last known stands.
    """

    def __init__(self, store: ResellerStore, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store, self._monotonic = store, monotonic
        self._lock = threading.Lock()
        self._found: Mapping[str, Credential] = {}
        self._generation: int | None = None
        self._look_at = 0.0

    def of_key(self, hashed: str) -> Credential | None:
        """By the hash of a key. Raises StoreUnavailable when nothing was ever known."""
        if self._monotonic() >= self._look_at or hashed not in self._found:
            self._look()
        return self._found.get(hashed)

    def _look(self) -> None:
        with self._lock:
            try:
                generation = self._store.generation()
                if generation != self._generation:
                    found = {each.key.hash: each for each in self._store.credentials()}
                    self._found, self._generation = found, generation
            except StoreUnavailable as error:
                if self._generation is None:
                    raise
                log.warning("what was last known of resellers stands: %s", error)
            self._look_at = self._monotonic() + LOOK_SECONDS
