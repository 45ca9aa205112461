"""Lists of few: POIs that are known by id, checked and sorted here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from admin_service.domain.geo import Point, kilometres
from admin_service.domain.poi import Poi
from admin_service.domain.searching import PoiQuery, Sort
from admin_service.storage.sql import poi_tables as tables
from admin_service.storage.sql.poi_narrowing import Narrowing
from admin_service.storage.sql.poi_orders import order_of, page_of_rows
from admin_service.storage.sql.poi_records import COLUMNS, poi_of
from common.database.keyset import page_from, sorted_cursor
from common.pages import Page

_pois = tables.pois
_NARROW = tuple(column for column in COLUMNS if column.name != "body")
"""All but the long column, which only those that are shown are read with."""

_CHUNK = 500
"""Ids of one statement."""


def looked_up(
    connection: Connection, query: PoiQuery, ids: Iterable[UUID], asked: Sequence[Narrowing]
) -> Page[Poi]:
    """Those of `ids` that meet the query; `asked` is what they may not have yet."""
    rows = [row for row in _rows(connection, sorted(ids), asked) if _meets(row, query, asked)]
    if query.sort is Sort.DISTANCE and query.changed_since is None:
        return _by_distance(connection, query, rows)
    order = order_of(query)
    rows.sort(key=order.key, reverse=order.descending)
    if query.cursor is not None:
        key, last = sorted_cursor(query.cursor, order.kind)
        order.from_cursor(key)  # is it one?
        place = (str(last) if query.sort is Sort.NEWEST else key, last.bytes)
        rows = [row for row in rows if _follows(order.key(row), place, descending=order.descending)]
    shown = whole_rows(connection, [row.id for row in rows[: query.limit + 1]])
    return page_of_rows(shown, query.limit, order)


def by_distance_page(connection: Connection, pairs: Sequence[tuple[float, UUID]], limit: int) -> Page[Poi]:
    """The page of at most `limit` POIs of which the distance is known; `pairs` are in order."""
    page = page_from(pairs[: limit + 1], limit, lambda pair: (pair[0], str(pair[1])))
    rows = whole_rows(connection, [poi_id for _, poi_id in page.items])
    return Page(tuple(map(poi_of, rows)), page.next_cursor)


def whole_rows(connection: Connection, ids: Sequence[UUID]) -> list[Row[Any]]:
    """The rows of some ids, in their order."""
    found = {row.id: row for row in connection.execute(select(*COLUMNS).where(_pois.c.id.in_(ids)))}
    return [found[poi_id] for poi_id in ids]


def _rows(connection: Connection, ids: Sequence[UUID], asked: Sequence[Narrowing]) -> Iterable[Row[Any]]:
    """By id alone, and by what no column says: any other condition could mislead a planner to begin there."""
    conditions = [each.of(_pois.c.id) for each in asked if each.column is None]
    for begin in range(0, len(ids), _CHUNK):
        some = _pois.c.id.in_(ids[begin : begin + _CHUNK])
        yield from connection.execute(select(*_NARROW).where(some, *conditions))


def _meets(row: Row[Any], query: PoiQuery, asked: Sequence[Narrowing]) -> bool:
    if row.status not in query.statuses or (query.waiting and not row.waiting):
        return False
    if query.owner is not None and row.owner != query.owner and row.id not in query.places:
        return False
    if query.changed_since is not None and row.changed_at < query.changed_since:
        return False
    if query.box is not None and not query.box.has(Point(row.latitude, row.longitude)):
        return False
    return all(getattr(row, each.column) == each.value for each in asked if each.column is not None)


def _by_distance(connection: Connection, query: PoiQuery, rows: Sequence[Row[Any]]) -> Page[Poi]:
    assert query.near is not None  # noqa: S101 see PoiQuery
    assert query.radius_km is not None  # noqa: S101 see PoiQuery
    near = query.near
    pairs = [(kilometres(near, Point(row.latitude, row.longitude)), row.id) for row in rows]
    place = None if query.cursor is None else sorted_cursor(query.cursor, float)
    wanted = sorted(pair for pair in pairs if pair[0] <= query.radius_km and (place is None or pair > place))
    return by_distance_page(connection, wanted, query.limit)


def _follows(key: tuple[Any, bytes], place: tuple[Any, bytes], *, descending: bool) -> bool:
    return key < place if descending else key > place
