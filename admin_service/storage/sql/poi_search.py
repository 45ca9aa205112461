"""Finding POIs: words, filters, boxes, circles and changes, and pages of what was found.

A page must cost the same among a million POIs as among a thousand: a list is walked along an index that has
its order until the page is full; by name, along that of what narrows it most (see `poi_lists`). What few POIs
have is looked up instead, where no index has the order (see `poi_narrowing`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, true, union_all

from admin_service.domain.geo import Box, Point, box_around, kilometres, runs_of
from admin_service.domain.poi import Poi, PoiStatus
from admin_service.domain.searching import PoiQuery, Sort
from admin_service.storage.sql import poi_tables as tables
from admin_service.storage.sql.poi_lists import by_name, lists_of
from admin_service.storage.sql.poi_lookup import by_distance_page, looked_up
from admin_service.storage.sql.poi_narrowing import led_by_few, narrowings
from admin_service.storage.sql.poi_orders import (
    CHANGED,
    ORDERS,
    Order,
    in_order,
    order_of,
    page_of_rows,
    start_of,
)
from common.database.keyset import sorted_cursor
from common.pages import Page

_pois = tables.pois

SMALLEST_RING_KM = 0.25
RING_GROWTH = 2
_RING_RUNS = 8


def search(connection: Connection, query: PoiQuery) -> Page[Poi]:
    """Raises ValidationError INVALID for a cursor of another list."""
    wanted = narrowings(query)
    if query.changed_since is not None:
        return _changes(connection, query, [each.asked() for each in wanted])
    if query.sort is Sort.NAME and query.owner is None and not query.waiting:
        met, rest = lists_of(connection, query, wanted)
        led = led_by_few(connection, rest)
        if led is None:
            return by_name(connection, query, met, rest)
        others = [each for each in wanted if each is not led.first]
        return looked_up(connection, query, set(connection.scalars(led.first.ids)), others)
    led = led_by_few(connection, wanted)
    if led is not None:
        return looked_up(connection, query, set(connection.scalars(led.first.ids)), led.others)
    conditions = [each.asked() for each in wanted]
    if query.sort is Sort.DISTANCE:
        return _by_distance(connection, query, conditions)
    return _walked(connection, query, conditions)


def _walked(connection: Connection, query: PoiQuery, conditions: list[ColumnElement[bool]]) -> Page[Poi]:
    order = order_of(query)
    conditions = [*conditions, *start_of(query, order)]
    if query.sort is Sort.PLACE:
        rows = _in_box(connection, query, conditions)
    else:
        rows = _listed(connection, query, order, conditions, query.limit + 1)
    return page_of_rows(rows, query.limit, order)


def _streams(query: PoiQuery) -> list[list[ColumnElement[bool]]]:
    """What parts the list into lists that an index has in order: the owner, what waits, or each status."""
    if query.owner is not None:
        own = [[_pois.c.owner == query.owner, _any_status(query.statuses)]]
        if query.places:
            others = or_(_pois.c.owner.is_(None), _pois.c.owner != query.owner)
            own.append([_pois.c.id.in_(query.places), others, _any_status(query.statuses)])
        return own
    if query.waiting:
        return [[_pois.c.waiting == true(), _any_status(query.statuses)]]
    return [[_pois.c.status == status.value] for status in query.statuses]


def _any_status(statuses: Iterable[PoiStatus]) -> ColumnElement[bool]:
    """Said so that no planner takes an index of the statuses for it: the list has another one."""
    return func.coalesce(_pois.c.status, "").in_([status.value for status in statuses])


def _listed(
    connection: Connection,
    query: PoiQuery,
    order: Order,
    conditions: Sequence[ColumnElement[bool]],
    limit: int,
) -> list[Row[Any]]:
    streams = [in_order(connection, order, [*stream, *conditions], limit) for stream in _streams(query)]
    return list(heapq.merge(*streams, key=order.key, reverse=order.descending))[:limit]


def _changes(connection: Connection, query: PoiQuery, conditions: Sequence[ColumnElement[bool]]) -> Page[Poi]:
    """What visitors see otherwise than they did, and what they do not see any more."""
    since = _pois.c.changed_at >= query.changed_since
    wanted = [since, _any_status(query.statuses), *conditions, *start_of(query, CHANGED)]
    if query.owner is not None:
        wanted.append(or_(_pois.c.owner == query.owner, _pois.c.id.in_(query.places)))
    return page_of_rows(in_order(connection, CHANGED, wanted, query.limit + 1), query.limit, CHANGED)


def _in_box(
    connection: Connection, query: PoiQuery, conditions: Sequence[ColumnElement[bool]]
) -> list[Row[Any]]:
    """The rows of a box in the order of the grid: run by run, until the page is full."""
    assert query.box is not None  # noqa: S101 what has this order has a box
    limit = query.limit + 1
    inside = [*conditions, *_inside(query.box)]
    rows: list[Row[Any]] = []
    for first, last in runs_of(query.box):
        run = [_pois.c.cell.between(first, last), *inside]
        rows += _listed(connection, query, ORDERS[Sort.PLACE], run, limit - len(rows))
        if len(rows) >= limit:
            break
    return rows


def _inside(box: Box) -> list[ColumnElement[bool]]:
    longitude = _pois.c.longitude
    across = or_(longitude >= box.west, longitude <= box.east)
    return [
        _pois.c.latitude.between(box.south, box.north),
        longitude.between(box.west, box.east) if box.west <= box.east else across,
    ]


def _by_distance(
    connection: Connection, query: PoiQuery, conditions: Sequence[ColumnElement[bool]]
) -> Page[Poi]:
    """The nearest first: rings that grow until they hold the page."""
    assert query.radius_km is not None  # noqa: S101 see PoiQuery
    place = None if query.cursor is None else sorted_cursor(query.cursor, float)
    wanted, radius = query.limit + 1, min(SMALLEST_RING_KM, query.radius_km)
    while True:
        pairs = _within(connection, query, conditions, radius)
        found = [pair for pair in pairs if place is None or pair > place]
        if len(found) >= wanted or radius >= query.radius_km:
            return by_distance_page(connection, sorted(found), query.limit)
        radius = min(RING_GROWTH * radius, query.radius_km)


def _within(
    connection: Connection,
    query: PoiQuery,
    conditions: Sequence[ColumnElement[bool]],
    radius_km: float,
) -> Iterator[tuple[float, UUID]]:
    """How far away what lies in the circle is, in kilometres."""
    assert query.near is not None  # noqa: S101 the caller has looked
    columns = (_pois.c.id, _pois.c.latitude, _pois.c.longitude)
    box = box_around(query.near, radius_km)
    conditions = [*conditions, *_inside(box)]
    runs = runs_of(box, limit=_RING_RUNS)
    parts = [
        select(*columns).where(*stream, _pois.c.cell.between(first, last), *conditions)
        for first, last in runs
        for stream in _streams(query)
    ]
    for row in connection.execute(union_all(*parts)):
        distance = kilometres(query.near, Point(row.latitude, row.longitude))
        if distance <= radius_km:
            yield distance, row.id
