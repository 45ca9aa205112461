"""What goes round each call to the world outside."""

from __future__ import annotations

from collections.abc import Iterable

from admin_service.clients.port import Storage, StorageUnavailable, StoredObject
from common.resilience.around import Around, Timed
from common.resilience.guard import Guard


class GuardedStorage:
    """`Storage` behind a guard. Every verb may be repeated."""

    def __init__(self, storage: Storage, guard: Guard, timed: Timed) -> None:
        self._storage, self._around = storage, Around("storage", guard, timed, StorageUnavailable)

    def put(self, key: str, stored: StoredObject) -> None:
        """See Storage."""
        self._around(lambda: self._storage.put(key, stored))

    def get(self, key: str) -> bytes | None:
        """See Storage."""
        return self._around(lambda: self._storage.get(key))

    def delete(self, keys: Iterable[str]) -> None:
        """See Storage."""
        all_keys = tuple(keys)
        self._around(lambda: self._storage.delete(all_keys))

    def ping(self) -> None:
        """See Storage."""
        self._around(self._storage.ping)
