"""Finding POIs: words, filters, boxes, circles and changes, and pages of what was found.

A page must cost the same among a million POIs as among a thousand: see `poi_narrowing`. Every statement says
by which index it is answered, or is such that only one comes in question.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from admin_service.domain.geo import Box, Point, box_around, kilometres, runs_of
from admin_service.domain.poi import Poi
from admin_service.domain.searching import PoiQuery, Sort
from admin_service.storage.mongo.poi_collections import pois
from admin_service.storage.mongo.poi_narrowing import Narrowing, narrowings, rarest
from admin_service.storage.mongo.poi_orders import CHANGED, Order, order_of, page_of, start_of
from admin_service.storage.mongo.poi_records import FIELDS, poi_of
from common.database.cursors import page_from, sorted_cursor
from common.mongo.transaction import Transaction
from common.mongo.values import Document, ms
from common.pages import Page

Conditions = list[dict[str, Any]]

SMALLEST_RING_KM = 0.25
RING_GROWTH = 2
_RING_RUNS = 8
_WHERE = ("latitude", "longitude")


def search(tx: Transaction, query: PoiQuery) -> Page[Poi]:
    """Raises ValidationError INVALID for a cursor of another list."""
    wanted = narrowings(query)
    conditions = [*_filters(query), *(each.condition for each in wanted)]
    if query.changed_since is not None:
        since = {"changed_at": {"$gte": ms(query.changed_since)}}
        conditions = [since, *_owned(query), *conditions, *start_of(query, CHANGED)]
        return page_of(_found(tx, query, CHANGED, conditions, CHANGED.index), query.limit, CHANGED)
    rare = rarest(tx, query, wanted)
    if query.sort is Sort.DISTANCE:
        return _by_distance(tx, query, [*_owned(query), *conditions], rare)
    order = order_of(query)
    conditions += start_of(query, order)
    if rare is not None:
        found = _found(tx, query, order, [*_owned(query), *conditions], rare.index)
    elif query.sort is Sort.PLACE:
        found = _in_box(tx, query, order, [*_owned(query), *conditions])
    elif query.owner is not None:
        found = _of_owner(tx, query, order, conditions)
    else:
        found = _found(tx, query, order, conditions, _walked(query, order, wanted))
    return page_of(found, query.limit, order)


def _walked(query: PoiQuery, order: Order, wanted: Sequence[Narrowing]) -> str:
    """The index along which the list is walked."""
    if query.waiting:
        return "waiting"
    if query.sort is Sort.NAME:
        return next((each.index for each in wanted if each.ordered), order.index)
    return order.index


def _filters(query: PoiQuery) -> Conditions:
    found: Conditions = [{"status": {"$in": [status.value for status in query.statuses]}}]
    if query.waiting:
        found.append({"waiting": True})
    if query.box is not None:
        found += _inside(query.box)
    return found


def _owned(query: PoiQuery) -> Conditions:
    if query.owner is None:
        return []
    return [{"$or": [{"owner": query.owner}, {"_id": {"$in": sorted(query.places)}}]}]


def _inside(box: Box) -> Conditions:
    """Those in the box; `west` is greater than `east` for one over the antimeridian."""
    within: dict[str, Any] = {"longitude": {"$gte": box.west, "$lte": box.east}}
    across: dict[str, Any] = {"$or": [{"longitude": {"$gte": box.west}}, {"longitude": {"$lte": box.east}}]}
    return [
        {"latitude": {"$gte": box.south, "$lte": box.north}},
        within if box.west <= box.east else across,
    ]


def _found(
    tx: Transaction,
    query: PoiQuery,
    order: Order,
    conditions: Conditions,
    index: str | None,
    limit: int | None = None,
) -> list[Document]:
    """The first of those that meet the conditions; one more than a page has, or `limit`."""
    return tx.find(
        pois,
        {"$and": conditions},
        sort=order.sort,
        limit=limit or query.limit + 1,
        fields=FIELDS,
        hint=index,
    )


def _of_owner(tx: Transaction, query: PoiQuery, order: Order, conditions: Conditions) -> list[Document]:
    """What is the owner's along an index that has it in order, and the few named places, put together."""
    index = {Sort.NAME: "owner", Sort.NEWEST: "owner_newest", Sort.UPDATED: "owner_updated"}[query.sort]
    own = _found(tx, query, order, [{"owner": query.owner}, *conditions], index)
    if not query.places:
        return own
    places = {"_id": {"$in": sorted(query.places)}, "owner": {"$ne": query.owner}}
    others = _found(tx, query, order, [places, *conditions], "_id_")
    merged = heapq.merge(own, others, key=order.key, reverse=order.descending)
    return list(merged)[: query.limit + 1]


def _in_box(tx: Transaction, query: PoiQuery, order: Order, conditions: Conditions) -> list[Document]:
    """Those in a box in the order of the grid: run by run, until the page is full."""
    assert query.box is not None  # noqa: S101 what has this order has a box
    limit = query.limit + 1
    found: list[Document] = []
    for first, last in runs_of(query.box):
        run = {"cell": {"$gte": first, "$lte": last}}
        found += _found(tx, query, order, [run, *conditions], order.index, limit - len(found))
        if len(found) >= limit:
            break
    return found


def _by_distance(
    tx: Transaction, query: PoiQuery, conditions: Conditions, rare: Narrowing | None
) -> Page[Poi]:
    """The nearest first: rings that grow until they hold the page, or all when there are few."""
    assert query.radius_km is not None  # noqa: S101 see PoiQuery
    place = None if query.cursor is None else sorted_cursor(query.cursor, float)
    wanted, radius = query.limit + 1, min(SMALLEST_RING_KM, query.radius_km)
    if rare is not None:
        radius = query.radius_km
    while True:
        candidates = _few(tx, conditions, rare) if rare else _ring(tx, query, conditions, radius)
        pairs = _distances(query, candidates, radius)
        found = sorted(pair for pair in pairs if place is None or pair > place)
        if len(found) >= wanted or radius >= query.radius_km:
            return _distance_page(tx, found, query.limit)
        radius = min(RING_GROWTH * radius, query.radius_km)


def _few(tx: Transaction, conditions: Conditions, rare: Narrowing) -> list[Document]:
    return tx.find(pois, {"$and": conditions}, fields=_WHERE, hint=rare.index)


def _ring(tx: Transaction, query: PoiQuery, conditions: Conditions, radius_km: float) -> list[Document]:
    assert query.near is not None  # noqa: S101 the caller has looked
    box = box_around(query.near, radius_km)
    inside = [*conditions, *_inside(box)]
    # each run with all conditions, so that each is a range of the index of its own
    runs = [
        {"$and": [{"cell": {"$gte": first, "$lte": last}}, *inside]}
        for first, last in runs_of(box, limit=_RING_RUNS)
    ]
    return tx.find(pois, {"$or": runs}, fields=_WHERE)


def _distances(
    query: PoiQuery, candidates: Sequence[Document], radius_km: float
) -> Iterator[tuple[float, UUID]]:
    """How far away, in kilometres, what lies in the circle is."""
    assert query.near is not None  # noqa: S101 the caller has looked
    for each in candidates:
        distance = kilometres(query.near, Point(each["latitude"], each["longitude"]))
        if distance <= radius_km:
            yield distance, each["_id"]


def _distance_page(tx: Transaction, pairs: Sequence[tuple[float, UUID]], limit: int) -> Page[Poi]:
    """The page of at most `limit` POIs of which the distance is known; `pairs` are in order."""
    page = page_from(pairs[: limit + 1], limit, lambda pair: (pair[0], str(pair[1])))
    ids = [poi_id for _, poi_id in page.items]
    found = {each["_id"]: each for each in tx.with_ids(pois, ids, FIELDS)}
    return Page(tuple(poi_of(found[poi_id]) for poi_id in ids), page.next_cursor)
