"""What a change changes, field by field, for those who decide on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldChange:
    """`pointer` (RFC 6901) names the field; None stands for nothing there."""

    pointer: str
    before: Any
    after: Any


def diff(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The changes from one snapshot to another, down to the language of a text; lists are compared whole,
    but for images, which are compared one by one.
    """
    return tuple(_between("", before or {}, after))


def _between(pointer: str, before: Any, after: Any) -> Iterator[FieldChange]:
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        old = before if isinstance(before, Mapping) else {}
        new = after if isinstance(after, Mapping) else {}
        for name in dict.fromkeys((*old, *new)):
            yield from _between(f"{pointer}/{name}", old.get(name), new.get(name))
    elif _is_of_mappings(before) or _is_of_mappings(after):
        for index, (one, other) in enumerate(zip_longest(before or (), after or ())):
            yield from _between(f"{pointer}/{index}", one, other)
    elif _nothing(before) != _nothing(after) or (not _nothing(after) and before != after):
        yield FieldChange(pointer, None if _nothing(before) else before, None if _nothing(after) else after)


def _is_of_mappings(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value)


def _nothing(value: Any) -> bool:
    return value is None or value in ([], "")
