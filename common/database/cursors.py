"""Pages and their cursors, on whatever store the rows are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from common.pages import Page
from common.web.field_errors import coded
from common.web.paging import decode_cursor, encode_cursor

T = TypeVar("T")
Key = tuple[Any, ...]


def page_from(items: Sequence[T], limit: int, key: Callable[[T], Key]) -> Page[T]:
    """The page of at most `limit` items; `items` has one more when there is a next page."""
    shown = tuple(items[:limit])
    return Page(shown, encode_cursor(key(shown[-1])) if len(items) > limit else None)


def sorted_cursor(cursor: str, kind: type) -> tuple[Any, UUID]:
    """The sort key, of type `kind`, and the id that the cursor stands for. Raises ValidationError INVALID."""
    position = decode_cursor(cursor)
    if len(position) != 2 or type(position[0]) is not kind:
        raise coded("INVALID", "Not a cursor of this list.")
    return position[0], _uuid(position[1])


def id_cursor(cursor: str) -> UUID:
    """The id that the cursor of a list by id stands for. Raises ValidationError INVALID."""
    position = decode_cursor(cursor)
    if len(position) != 1:
        raise coded("INVALID", "Not a cursor of this list.")
    return _uuid(position[0])


def number_cursor(cursor: str) -> int:
    """The whole number that the cursor of a list by number stands for. Raises ValidationError INVALID."""
    position = decode_cursor(cursor)
    if len(position) != 1 or type(position[0]) is not int or abs(position[0]) >= 2**63:
        raise coded("INVALID", "Not a cursor of this list.")
    return position[0]


def _uuid(text: Any) -> UUID:
    try:
        return UUID(text)
    except (AttributeError, TypeError, ValueError) as error:
        raise coded("INVALID", "Not a cursor of this list.") from error
