"""Finding POIs: words, filters, boxes, circles and changes, and pages of what was found.

A page must cost the same among a million POIs as among a thousand. So each list follows an index that has its
order, and stops when the page is full; and the words of a query come first where they are rare, last where
they are frequent.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, or_, select

from admin_service.domain.categories import is_group
from admin_service.domain.geo import FINEST_LEVEL, Point, box_around, kilometres, runs_of
from admin_service.domain.poi import Poi, PoiStatus
from admin_service.domain.searching import PoiQuery, Sort, city_key, tag_word
from admin_service.storage.sql import poi_tables as tables
from admin_service.storage.sql.poi_records import COLUMNS, instant, milliseconds, poi_of
from common.database.keyset import after, page_from, sorted_cursor
from common.pages import Page
from common.web.field_errors import coded

_pois, _words = tables.pois, tables.poi_words

RARE = 2000
"""A word of at most so many POIs is looked up; a more frequent one is asked of each POI in turn, and soon
found.
"""

SMALLEST_RING_KM = 0.25
LAST_CHARACTER = "\U0010ffff"
"""Sorts after whatever a word may go on with, by bytes as by code points."""


def _instant(count: int) -> datetime:
    try:
        return instant(count)
    except OverflowError as error:
        raise coded("INVALID", "Not a cursor of this list.") from error


def _cell(number: int) -> int:
    if not 0 <= number < 1 << 2 * FINEST_LEVEL:
        raise coded("INVALID", "Not a cursor of this list.")
    return number


@dataclass(frozen=True, slots=True)
class _Order:
    """A column to sort by, and its value as a cursor keeps it."""

    column: ColumnElement[Any]
    kind: type
    of: Callable[[Row[Any]], Any]
    descending: bool = False
    from_cursor: Callable[[Any], Any] = lambda value: value


_UPDATED = _Order(
    _pois.c.updated_at, int, lambda row: milliseconds(row.updated_at), descending=True, from_cursor=_instant
)
_CHANGED = _Order(_pois.c.changed_at, int, lambda row: milliseconds(row.changed_at), from_cursor=_instant)
_ORDERS = {
    Sort.NAME: _Order(_pois.c.sort_name, str, lambda row: row.sort_name),
    # ids are made in the order of time
    Sort.NEWEST: _Order(_pois.c.id, str, lambda row: str(row.id), descending=True, from_cursor=UUID),
    Sort.UPDATED: _UPDATED,
    Sort.PLACE: _Order(_pois.c.cell, int, lambda row: row.cell, from_cursor=_cell),
}


def search(connection: Connection, query: PoiQuery) -> Page[Poi]:
    """Raises ValidationError INVALID for a cursor of another list."""
    words = _words_conditions(connection, query)
    if words is None:
        return Page(())
    if query.changed_since is not None:
        return _changes(connection, query, words)
    if query.sort is Sort.DISTANCE:
        return _by_distance(connection, query, words)
    order = _ORDERS[query.sort]
    conditions = [*_filters(query), *words, *_place(query, order)]
    if query.sort is Sort.PLACE:
        rows = _in_box(connection, query, conditions)
    else:
        rows = _listed(connection, query, order, conditions, query.limit + 1)
    return _page(rows, query.limit, order)


def _listed(
    connection: Connection,
    query: PoiQuery,
    order: _Order,
    conditions: Sequence[ColumnElement[bool]],
    limit: int,
) -> list[Row[Any]]:
    streams = [_in_order(connection, order, [*stream, *conditions], limit) for stream in _streams(query)]
    key: Callable[[Row[Any]], Any] = lambda row: (order.of(row), row.id.bytes)  # noqa: E731
    return list(heapq.merge(*streams, key=key, reverse=order.descending))[:limit]


def _page(rows: Sequence[Row[Any]], limit: int, order: _Order) -> Page[Poi]:
    page = page_from(rows, limit, lambda row: (order.of(row), str(row.id)))
    return Page(tuple(map(poi_of, page.items)), page.next_cursor)


def _place(query: PoiQuery, order: _Order) -> list[ColumnElement[bool]]:
    """Where the page begins."""
    if query.cursor is None:
        return []
    key, last = sorted_cursor(query.cursor, order.kind)
    if query.sort is Sort.NEWEST:
        return [_pois.c.id < last]
    return [after(order.column, _pois.c.id, order.from_cursor(key), last, descending=order.descending)]


def _streams(query: PoiQuery) -> list[list[ColumnElement[bool]]]:
    """What parts the list into lists that an index has in order: the owner, what waits, or each status."""
    if query.owner is not None:
        own = [[_pois.c.owner == query.owner, _any_status(query.statuses)]]
        if query.places:
            others = or_(_pois.c.owner.is_(None), _pois.c.owner != query.owner)
            own.append([_pois.c.id.in_(query.places), others, _any_status(query.statuses)])
        return own
    if query.waiting:
        return [[_pois.c.waiting.is_(True), _any_status(query.statuses)]]
    return [[_pois.c.status == status.value] for status in query.statuses]


def _any_status(statuses: Iterable[PoiStatus]) -> ColumnElement[bool]:
    return _pois.c.status.in_([status.value for status in statuses])


def _in_order(
    connection: Connection, order: _Order, conditions: Iterable[ColumnElement[bool]], limit: int
) -> Sequence[Row[Any]]:
    columns = (order.column, _pois.c.id)
    statement = (
        select(*COLUMNS)
        .where(*conditions)
        .order_by(*(column.desc() if order.descending else column for column in columns))
        .limit(limit)
    )
    return connection.execute(statement).all()


def _filters(query: PoiQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.category is not None:
        column = _pois.c.category_group if is_group(query.category) else _pois.c.category
        conditions.append(column == query.category)
    if query.city is not None:
        conditions.append(_pois.c.city_key == city_key(query.city))
    if query.tag is not None:
        conditions.append(_has_tag(query.tag))
    return conditions


def _words_conditions(connection: Connection, query: PoiQuery) -> list[ColumnElement[bool]] | None:
    """The conditions that the words of the query are; None when nothing can meet them."""
    rare: set[UUID] | None = None
    frequent: list[str] = []
    for prefix in query.words:
        statement = select(_words.c.poi_id).where(_begins(_words.c.word, prefix)).limit(RARE + 1)
        found = connection.scalars(statement).all()
        if len(found) > RARE:
            frequent.append(prefix)
        else:
            rare = set(found) if rare is None else rare & set(found)
    if rare is None and len(frequent) > 1:
        rare = _jointly(connection, frequent)
    if rare is not None and not rare:
        return None
    looked_up = [] if rare is None else [_pois.c.id.in_(rare)]
    return [*looked_up, *(_has_word(_pois.c.id, prefix) for prefix in frequent)]


def _jointly(connection: Connection, frequent: Sequence[str]) -> set[UUID] | None:
    """The POIs that have all of several frequent words; None when they are many."""
    first, *others = frequent
    conditions = [_begins(_words.c.word, first), *(_has_word(_words.c.poi_id, other) for other in others)]
    found = connection.scalars(select(_words.c.poi_id).where(*conditions).limit(RARE + 1)).all()
    return None if len(found) > RARE else set(found)


def _has_word(poi_id: ColumnElement[Any], prefix: str) -> ColumnElement[bool]:
    there = _words.alias()
    return exists().where(there.c.poi_id == poi_id, _begins(there.c.word, prefix))


def _has_tag(tag: str) -> ColumnElement[bool]:
    return exists().where(_words.c.poi_id == _pois.c.id, _words.c.word == tag_word(tag))


def _begins(word: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    return and_(word >= prefix, word < prefix + LAST_CHARACTER)


def _in_box(
    connection: Connection, query: PoiQuery, conditions: Sequence[ColumnElement[bool]]
) -> list[Row[Any]]:
    """The rows of a box in the order of the grid: run by run, until the page is full."""
    assert query.box is not None  # noqa: S101 what has this order has a box
    limit = query.limit + 1
    inside = [
        *conditions,
        _pois.c.latitude.between(query.box.south, query.box.north),
        _longitudes(query.box.west, query.box.east),
    ]
    rows: list[Row[Any]] = []
    for first, last in runs_of(query.box):
        run = [_pois.c.cell.between(first, last), *inside]
        rows += _listed(connection, query, _ORDERS[Sort.PLACE], run, limit - len(rows))
        if len(rows) >= limit:
            break
    return rows


def _longitudes(west: float, east: float) -> ColumnElement[bool]:
    longitude = _pois.c.longitude
    return longitude.between(west, east) if west <= east else (longitude >= west) | (longitude <= east)


def _by_distance(connection: Connection, query: PoiQuery, words: list[ColumnElement[bool]]) -> Page[Poi]:
    """The nearest first: rings that double until they hold the page."""
    assert query.near is not None  # noqa: S101 see PoiQuery
    assert query.radius_km is not None  # noqa: S101 see PoiQuery
    place = None if query.cursor is None else sorted_cursor(query.cursor, float)
    wanted, radius = query.limit + 1, min(SMALLEST_RING_KM, query.radius_km)
    while True:
        found = _within(connection, query, words, radius)
        if place is not None:
            found = [pair for pair in found if pair > place]
        if len(found) >= wanted or radius >= query.radius_km:
            break
        radius = min(2 * radius, query.radius_km)
    shown = sorted(found)[:wanted]
    statement = select(*COLUMNS).where(_pois.c.id.in_([poi_id for _, poi_id in shown]))
    rows = {row.id: row for row in connection.execute(statement)}
    page = page_from(shown, query.limit, lambda pair: (pair[0], str(pair[1])))
    return Page(tuple(poi_of(rows[poi_id]) for _, poi_id in page.items), page.next_cursor)


def _within(
    connection: Connection, query: PoiQuery, words: list[ColumnElement[bool]], radius_km: float
) -> list[tuple[float, UUID]]:
    assert query.near is not None  # noqa: S101 the caller has looked
    columns = (_pois.c.id, _pois.c.latitude, _pois.c.longitude)
    found = []
    for first, last in runs_of(box_around(query.near, radius_km)):
        run = _pois.c.cell.between(first, last)
        for stream in _streams(query):
            statement = select(*columns).where(*stream, run, *_filters(query), *words)
            for row in connection.execute(statement):
                distance = kilometres(query.near, Point(row.latitude, row.longitude))
                if distance <= radius_km:
                    found.append((distance, row.id))
    return found


def _changes(connection: Connection, query: PoiQuery, words: list[ColumnElement[bool]]) -> Page[Poi]:
    """What visitors see otherwise than they did, and what they do not see any more."""
    conditions = [
        _pois.c.changed_at >= query.changed_since,
        _any_status(query.statuses),
        *_filters(query),
        *words,
    ]
    if query.cursor is not None:
        key, last = sorted_cursor(query.cursor, int)
        conditions.append(after(_pois.c.changed_at, _pois.c.id, _instant(key), last))
    return _page(_in_order(connection, _CHANGED, conditions, query.limit + 1), query.limit, _CHANGED)
