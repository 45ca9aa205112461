"""What goes round each call to the world outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from admin_service.clients.port import (
    Erased,
    Sales,
    Storage,
    StorageUnavailable,
    StoredObject,
    Ticketing,
    TicketingUnavailable,
)
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


class GuardedTicketing:
    """`Ticketing` behind a guard."""

    def __init__(self, ticketing: Ticketing, guard: Guard, timed: Timed) -> None:
        self._ticketing = ticketing
        self._around = Around("ticketing-api", guard, timed, TicketingUnavailable)

    def sales(self, day_from: date, day_to: date) -> tuple[Sales, ...]:
        """See Ticketing."""
        return self._around(lambda: self._ticketing.sales(day_from, day_to))

    def person(self, email: str) -> Mapping[str, Any]:
        """See Ticketing."""
        return self._around(lambda: self._ticketing.person(email))

    def health(self) -> Mapping[str, Any]:
        """See Ticketing."""
        return self._around(self._ticketing.health)

    def erase_person(self, email: str) -> Erased:
        """See Ticketing."""
        return self._around(lambda: self._ticketing.erase_person(email))
