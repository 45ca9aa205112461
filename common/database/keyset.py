"""Pages by keyset: the rows after the last one of the page before, by its sort key and id."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_

from common.database.cursors import id_cursor, number_cursor, page_from, sorted_cursor

__all__ = ["after", "id_cursor", "number_cursor", "page_from", "sorted_cursor"]


def after(
    column: ColumnElement[Any],
    identifier: ColumnElement[Any],
    key: Any,
    last: UUID,
    *,
    descending: bool = False,
) -> ColumnElement[bool]:
    """The rows that follow (key, last) in the order of both columns, said so that an index finds it."""
    if descending:
        return and_(column <= key, or_(column < key, identifier < last))
    return and_(column >= key, or_(column > key, identifier > last))
