"""Identifiers: UUIDv7 (RFC 9562 section 5.7), sortable by time and monotonic within a process."""

from __future__ import annotations

import os
import threading
import time
from datetime import datetime
from uuid import UUID, uuid5

_lock = threading.Lock()
_last = 0
_last_at = 0


def _forget_predecessor() -> None:
    """A forked worker must not continue its parent's lock state."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_predecessor)


def uuid7() -> UUID:
    """A new identifier: 48 bits of Unix milliseconds, 12 bits of sub-millisecond order, 62 random bits."""
    global _last  # noqa: PLW0603
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    stamp = milliseconds << 12 | rest * 4096 // 1_000_000
    with _lock:
        stamp = _last = max(stamp, _last + 1)
    return _made(stamp)


def uuid7_at(instant: datetime) -> UUID:
    """A new identifier of something that bears `instant` (timezone-aware), so that both sort alike: of those
    that one process makes for one millisecond, the later is the greater.
    """
    global _last_at  # noqa: PLW0603
    stamp = round(instant.timestamp() * 1000) << 12
    with _lock:
        stamp = _last_at = _last_at + 1 if _last_at >> 12 == stamp >> 12 else stamp
    return _made(stamp)


def _made(stamp: int) -> UUID:
    random_bits = int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=(stamp >> 12) << 80 | 7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | random_bits)


def derived_id(namespace: UUID, *parts: str) -> UUID:
    """The identifier that stands for `parts`: the same on every machine (UUIDv5, RFC 9562 section 5.5)."""
    return uuid5(namespace, "\x1f".join(parts))
