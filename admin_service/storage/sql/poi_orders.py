"""The orders in which POIs are listed: by which column, and what a cursor keeps of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, select

from admin_service.domain.geo import FINEST_LEVEL
from admin_service.domain.poi import Poi
from admin_service.domain.searching import PoiQuery, Sort
from admin_service.storage.sql import poi_tables as tables
from admin_service.storage.sql.poi_records import COLUMNS, instant, milliseconds, poi_of
from common.database.keyset import after, page_from, sorted_cursor
from common.pages import Page
from common.web.field_errors import coded

_pois = tables.pois


@dataclass(frozen=True, slots=True)
class Order:
    """A column to sort by, and its value as a cursor keeps it."""

    column: ColumnElement[Any]
    kind: type
    of: Callable[[Row[Any]], Any]
    descending: bool = False
    from_cursor: Callable[[Any], Any] = lambda value: value

    def key(self, row: Row[Any]) -> tuple[Any, bytes]:
        """Rows in the order of this are in the order of the list, or of its reverse."""
        return self.of(row), row.id.bytes


def _instant(count: int) -> datetime:
    try:
        return instant(count)
    except OverflowError as error:
        raise coded("INVALID", "Not a cursor of this list.") from error


def _cell(number: int) -> int:
    if not 0 <= number < 1 << 2 * FINEST_LEVEL:
        raise coded("INVALID", "Not a cursor of this list.")
    return number


CHANGED = Order(_pois.c.changed_at, int, lambda row: milliseconds(row.changed_at), from_cursor=_instant)
ORDERS = {
    Sort.NAME: Order(_pois.c.sort_name, str, lambda row: row.sort_name),
    # ids are made in the order of time
    Sort.NEWEST: Order(_pois.c.id, str, lambda row: str(row.id), descending=True, from_cursor=UUID),
    Sort.UPDATED: Order(
        _pois.c.updated_at,
        int,
        lambda row: milliseconds(row.updated_at),
        descending=True,
        from_cursor=_instant,
    ),
    Sort.PLACE: Order(_pois.c.cell, int, lambda row: row.cell, from_cursor=_cell),
}


def order_of(query: PoiQuery) -> Order:
    """The order of a list that is not one by distance."""
    return CHANGED if query.changed_since is not None else ORDERS[query.sort]


def start_of(query: PoiQuery, order: Order) -> list[ColumnElement[bool]]:
    """Where the page begins. Raises ValidationError INVALID for a cursor of another list."""
    if query.cursor is None:
        return []
    key, last = sorted_cursor(query.cursor, order.kind)
    if order.column is _pois.c.id:
        return [_pois.c.id < last]
    return [after(order.column, _pois.c.id, order.from_cursor(key), last, descending=order.descending)]


def in_order(
    connection: Connection, order: Order, conditions: Iterable[ColumnElement[bool]], limit: int
) -> Sequence[Row[Any]]:
    """The first rows that meet the conditions."""
    columns = dict.fromkeys((order.column, _pois.c.id))
    statement = (
        select(*COLUMNS)
        .where(*conditions)
        .order_by(*(column.desc() if order.descending else column for column in columns))
        .limit(limit)
    )
    return connection.execute(statement).all()


def page_of_rows(rows: Sequence[Row[Any]], limit: int, order: Order) -> Page[Poi]:
    """The page of at most `limit`; `rows` has one more when there is a next page."""
    page = page_from(rows, limit, lambda row: (order.of(row), str(row.id)))
    return Page(tuple(map(poi_of, page.items)), page.next_cursor)
