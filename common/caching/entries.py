"""One cached entry: what is kept beside a value, and its form in bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final, NamedTuple

_HEAD = struct.Struct("<2sBdddH")
_MAGIC = b"c1"
_VALUE, _ABSENT = 0, 1


class Absent(Enum):
    """The type of ABSENT alone."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""What a loader returns, and a read gives, for "there is no such thing", which is kept for a short while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a loader may return instead of the bare value.

    `fresh_until`: the next instant at which the answer changes by the passing of time. Without `keep` the
    value is handed on as it is, and not cached.
    """

    value: Any
    fresh_until: datetime | None = None
    keep: bool = True


class Place(NamedTuple):
    """Where an entry is kept, and by what it can be invalidated."""

    region: str
    key: str
    tags: tuple[str, ...] = ()


class Life(NamedTuple):
    """When an entry was made, until when it is fresh, and when it ends: seconds since 1970."""

    made_at: float
    fresh_until: float
    dead_at: float


@dataclass(slots=True)
class Entry:
    """An entry that was found. `stamp`: the generations of its tags before it was loaded.

    `decoded`: the value itself once somebody has read it, where one copy may serve all. `seen`: for the
    backend's own use.
    """

    stamp: bytes
    life: Life
    absent: bool
    body: bytes
    decoded: Any = None
    seen: int = 0

    def pack(self) -> bytes:
        """The entry as bytes."""
        kind = _ABSENT if self.absent else _VALUE
        return _HEAD.pack(_MAGIC, kind, *self.life, len(self.stamp)) + self.stamp + self.body


def unpack(data: bytes) -> Entry | None:
    """The entry in `data`; None when it is none of ours."""
    if len(data) < _HEAD.size:
        return None
    magic, kind, made_at, fresh_until, dead_at, length = _HEAD.unpack_from(data)
    body_at = _HEAD.size + length
    if magic != _MAGIC or kind not in (_VALUE, _ABSENT) or len(data) < body_at:
        return None
    life = Life(made_at, fresh_until, dead_at)
    return Entry(data[_HEAD.size : body_at], life, kind == _ABSENT, data[body_at:])
