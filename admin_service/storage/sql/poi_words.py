"""Lists by name of what has a word: the words index has the names, so each word is a list in order."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select, true, union_all

from admin_service.domain.poi import SHOWN, Poi
from admin_service.domain.searching import PoiQuery
from admin_service.storage.sql import poi_tables as tables
from admin_service.storage.sql.poi_lookup import whole_rows
from admin_service.storage.sql.poi_narrowing import Led, Narrowing
from admin_service.storage.sql.poi_orders import ORDERS, page_of_rows
from common.database.keyset import after, sorted_cursor
from common.pages import Page

_pois, _words = tables.pois, tables.poi_words


def by_words(connection: Connection, query: PoiQuery, led: Led, words: Sequence[str]) -> Page[Poi]:
    """The page of those that have one of `words` and meet the rest of the query, by name."""
    limit = query.limit + 1
    conditions = [*_place(query), *_asked(query, led.others)]
    parts = [
        select(_words.c.sort_name, _words.c.poi_id)
        .where(_words.c.word == word, _words.c.shown == shown, *conditions)
        .order_by(_words.c.sort_name, _words.c.poi_id)
        .limit(limit)
        .subquery()
        for word in words
        for shown in sorted({status in SHOWN for status in query.statuses})
    ]
    found: set[tuple[str, UUID]] = set()
    if parts:
        rows = connection.execute(union_all(*(select(part) for part in parts)))
        # one that has two of the words is in two of the lists
        found = {(row.sort_name, row.poi_id) for row in rows}
    first = sorted(found, key=lambda pair: (pair[0], pair[1].bytes))[:limit]
    shown_rows = whole_rows(connection, [poi_id for _, poi_id in first])
    return page_of_rows(shown_rows, query.limit, ORDERS[query.sort])


def _place(query: PoiQuery) -> list[ColumnElement[bool]]:
    if query.cursor is None:
        return []
    key, last = sorted_cursor(query.cursor, str)
    return [after(_words.c.sort_name, _words.c.poi_id, key, last)]


def _asked(query: PoiQuery, others: Sequence[Narrowing]) -> list[ColumnElement[bool]]:
    """What the words index does not say of a POI."""
    conditions = [each.of(_words.c.poi_id) for each in others if each.column is None]
    of_the_poi = [_pois.c[each.column] == each.value for each in others if each.column is not None]
    if set(query.statuses) != set(SHOWN):
        of_the_poi.append(func.coalesce(_pois.c.status, "").in_([each.value for each in query.statuses]))
    if query.waiting:
        of_the_poi.append(_pois.c.waiting == true())
    if query.owner is not None:
        of_the_poi.append(or_(_pois.c.owner == query.owner, _pois.c.id.in_(query.places)))
    if of_the_poi:
        conditions.append(exists().where(_pois.c.id == _words.c.poi_id, *of_the_poi))
    return conditions
