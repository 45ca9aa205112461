"""UUIDs for what MongoDB's ObjectIds name: each has its own, always the same one, in the same order.

Such a UUID is a version 7 (RFC 9562) that holds the whole ObjectId: its seconds as milliseconds, its other 64
bits, and in the last ten bits the number of a part of the thing.
"""

from __future__ import annotations

from uuid import UUID

from bson import ObjectId

PARTS = 1 << 10
"""How many UUIDs an ObjectId has."""

_REST = 8
_LOW = 52


def id_of(object_id: ObjectId, part: int = 0) -> UUID:
    """The UUID of a thing, or of one of its parts. Raises ValueError when it has no so many."""
    if not 0 <= part < PARTS:
        raise ValueError(f"no part {part}")
    seconds, rest = int.from_bytes(object_id.binary[:-_REST]), int.from_bytes(object_id.binary[-_REST:])
    low = (rest & (1 << _LOW) - 1) << 10 | part
    return UUID(int=seconds * 1000 << 80 | 7 << 76 | rest >> _LOW << 64 | 0b10 << 62 | low)


def object_id_of(identifier: UUID) -> ObjectId:
    """The ObjectId of a UUID that `id_of` has made."""
    number = identifier.int
    seconds = (number >> 80) // 1000
    rest = (number >> 64 & 0xFFF) << _LOW | number >> 10 & (1 << _LOW) - 1
    return ObjectId(seconds.to_bytes(4) + rest.to_bytes(_REST))
