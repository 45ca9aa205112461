"""The small level of each process: entries in memory, the least recently used leave first."""

from __future__ import annotations

import threading
from collections import OrderedDict

from common.caching.entries import Entry

# What an entry costs besides its bytes, which are counted twice: as they came, and decoded.
_OVERHEAD_BYTES = 600
_LARGEST_SHARE = 8


class Level:
    """At most `limit_entries` entries of about `limit_bytes` together; safe for threads."""

    def __init__(self, *, limit_bytes: int, limit_entries: int) -> None:
        self._limit_bytes, self._limit_entries = limit_bytes, limit_entries
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """About how much memory the entries take."""
        return self._bytes

    def get(self, key: str) -> Entry | None:
        """The entry, which is thereby the most recently used."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def put(self, key: str, entry: Entry) -> None:
        """Keep the entry, unless it is too large for this level."""
        cost = _cost(key, entry)
        with self._lock:
            self._remove(key)
            if cost * _LARGEST_SHARE > self._limit_bytes:
                return
            self._entries[key] = entry
            self._bytes += cost
            while self._bytes > self._limit_bytes or len(self._entries) > self._limit_entries:
                self._remove(next(iter(self._entries)))

    def drop(self, key: str) -> None:
        """Forget one."""
        with self._lock:
            self._remove(key)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def _remove(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= _cost(key, entry)


def _cost(key: str, entry: Entry) -> int:
    return _OVERHEAD_BYTES + len(key) + len(entry.stamp) + 2 * len(entry.body)
