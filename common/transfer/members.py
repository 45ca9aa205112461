"""The documents of another system: which members they have, of which kind, and what becomes of each.

Nothing is guessed: a member that is not declared, a value of another kind and a word that is not known make
the document one that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from bson import Decimal128, ObjectId

from common.transfer.documents import Document

Words = Mapping[str, str]
"""What a word of theirs is in ours."""


class Unfit(Exception):
    """The document cannot be one of ours; its text says why, without the content."""


class Kind(StrEnum):
    """What a value is; any of them may be missing or null unless the member is `required`."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole number"
    MOMENT = "date"
    FLAG = "flag"
    ID = "ObjectId"
    LIST = "list"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Member:
    """`path` is written with dots. `becomes` says what of ours it is; of one that is `left` behind, why.

    Args:
        default: what one that is missing has, as the system itself would read it.
        words: those that a text can be, and what they are in ours.
    """

    path: str
    kind: Kind
    becomes: str
    _: KW_ONLY
    default: Any = None
    required: bool = False
    left: bool = False
    words: Words = field(default_factory=dict)


def left(path: str, why: str) -> Member:
    """A member that is left behind, of whatever kind it is."""
    return Member(path, Kind.ANY, why, left=True)


@dataclass(frozen=True)
class Shape:
    """The documents of a collection."""

    collection: str
    members: Sequence[Member]

    @cached_property
    def _by_path(self) -> Mapping[str, Member]:
        return {each.path: each for each in self.members}

    @cached_property
    def _inner(self) -> frozenset[str]:
        """The paths of documents that hold members."""
        parts = (each.path.split(".") for each in self.members)
        return frozenset(".".join(path[:end]) for path in parts for end in range(1, len(path)))

    @property
    def left(self) -> tuple[str, ...]:
        """The members that are left behind."""
        return tuple(each.path for each in self.members if each.left)

    def read(self, document: Document) -> dict[str, Any]:
        """The values of the members that are not left, by path; a word is that of ours. Raises Unfit."""
        found = dict(self._flat(document, ""))
        return {
            member.path: _value(member, found.get(member.path)) for member in self.members if not member.left
        }

    def _flat(self, document: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
        for name, value in document.items():
            path = f"{above}{name}"
            if path == "_id":
                continue
            if path in self._by_path:
                yield path, value
            elif path not in self._inner:
                raise Unfit(f"{path[:80]}: a member that is not known")
            elif isinstance(value, Mapping):
                yield from self._flat(value, f"{path}.")
            elif value is not None:
                raise Unfit(f"{path}: not a document")


def number_of(value: Any) -> Decimal:
    """A number as it is written; a float is the shortest decimal that stands for it."""
    if isinstance(value, Decimal128):
        return value.to_decimal()
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def in_hundredths(number: Decimal) -> int:
    """The number times a hundred. Raises Unfit unless that is a whole one: nothing is rounded."""
    scaled = number.scaleb(2)
    if scaled != scaled.to_integral_value():
        raise Unfit("an amount that is no whole number of hundredths")
    return int(scaled)


def _value(member: Member, value: Any) -> Any:
    value = member.default if value is None else value
    if value is None:
        if member.required:
            raise Unfit(f"{member.path}: missing")
        return None
    read = _READERS[member.kind](value)
    if read is None:
        raise Unfit(f"{member.path}: not a {member.kind}")
    if member.words:
        if read not in member.words:
            raise Unfit(f"{member.path}: a word that is not known")
        return member.words[read]
    return read


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal128):
        return None
    number = number_of(value)
    return number if number.is_finite() else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def _moment(value: Any) -> datetime | None:
    # beyond the years of a datetime the driver gives something else
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo is not None else None


def _of(kind: type) -> Any:
    return lambda value: value if isinstance(value, kind) else None


_READERS: Mapping[Kind, Any] = {
    Kind.TEXT: _of(str),
    Kind.NUMBER: _number,
    Kind.WHOLE: _whole,
    Kind.MOMENT: _moment,
    Kind.FLAG: _of(bool),
    Kind.ID: _of(ObjectId),
    Kind.LIST: _of(list),
    Kind.ANY: lambda value: value,
}
