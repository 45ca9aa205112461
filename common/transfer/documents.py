"""The neutral form: one document an entity, of values that mean the same on every store.

A value is a UUID, bytes, text, a whole number (instants are milliseconds since 1970), a float, true or false,
None, or a list or a mapping of such.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import orjson

Document = dict[str, Any]
Key = tuple[Any, ...]
"""By which an entity is found, and in whose order all stores have them: UUIDs, whole numbers, texts."""

_BYTES = 32
_MODULUS = 1 << (8 * _BYTES)


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of things that are moved one by one.

    Args:
        name: as it is told, such as `bookings`.
        key: the members of the document that are its key.
        batch: how many are moved at a time; few where one may be large.
    """

    name: str
    key: tuple[str, ...] = ("id",)
    batch: int = 500

    def key_of(self, document: Document) -> Key:
        return tuple(document[name] for name in self.key)


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a set of documents: how many, and the sum modulo 2^256 of the SHA-256 of each, which does not depend
    on their order.
    """

    count: int = 0
    total: int = 0

    def __add__(self, other: Facts) -> Facts:
        return Facts(self.count + other.count, (self.total + other.total) % _MODULUS)

    @classmethod
    def of(cls, forms: Iterable[bytes]) -> Self:
        """Of the canonical forms of documents."""
        count, total = 0, 0
        for form in forms:
            count += 1
            total += int.from_bytes(hashlib.sha256(form).digest())
        return cls(count, total % _MODULUS)

    @property
    def digest(self) -> str:
        """As 64 hexadecimal digits."""
        return f"{self.total:0{2 * _BYTES}x}"


def canonical(document: Document) -> bytes:
    """The one form of the document as bytes, whatever store it was read from. Raises TypeError for a value
    that is none of the neutral form.
    """
    return orjson.dumps(document, default=_plain, option=orjson.OPT_SORT_KEYS)


def key_text(key: Key | None) -> str:
    """A key as text that `key_from` reads; None is where everything begins or ends."""
    if key is None:
        return ""
    return orjson.dumps([f"u{each}" if isinstance(each, UUID) else _marked(each) for each in key]).decode()


def key_from(text: str) -> Key | None:
    """The key that `key_text` has written."""
    if not text:
        return None
    return tuple(_unmarked(each) for each in orjson.loads(text))


def shown_key(key: Key) -> str:
    """For a person."""
    return "/".join(map(str, key))


def _marked(value: Any) -> Any:
    return value if isinstance(value, int) else f"t{value}"


def _unmarked(value: Any) -> Any:
    if isinstance(value, int):
        return value
    return UUID(value[1:]) if value[0] == "u" else value[1:]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return f"bytes:{bytes(value).hex()}"
    raise TypeError(f"{type(value).__name__} has no neutral form")
