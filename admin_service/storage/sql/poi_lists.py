"""Pages by name: what has a word, a tag, a category, a city or a status is a list that an index keeps by
name, and what has several of them is where such lists meet.

The list that gets furthest with so many rows is the rarest from here on: it leads, and each of its rows is
looked for in the others, which goes through them in their order too. Where that fills no page, who leads is
asked again: a word may be rare under one letter and common under the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Subquery,
    Table,
    and_,
    false,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.selectable import Select

from admin_service.domain.poi import SHOWN, Poi, PoiStatus
from admin_service.domain.searching import PoiQuery
from admin_service.storage.sql import poi_tables as tables
from admin_service.storage.sql.poi_lookup import whole_rows
from admin_service.storage.sql.poi_narrowing import Narrowing, words_like
from admin_service.storage.sql.poi_orders import ORDERS, page_of_rows
from common.database.keyset import after, sorted_cursor
from common.pages import Page

WINDOW, GROWTH = 1024, 4
"""Rows of the first stretch, and how much longer each following one is. To count as many costs as much as a
statement does."""

MANY_WORDS = 64
"""So many words the beginnings of all words of a query may stand for; what stands for more is no list."""

LOOKED_FOR = 4
"""Of so many words each can be looked for in its list; of more, the POI's own words are asked."""

_pois, _words = tables.pois, tables.poi_words
_INDEXES = {
    "word": "PRIMARY",
    "status": "ix_admin_pois_name",
    "category": "ix_admin_pois_category",
    "category_group": "ix_admin_pois_group",
    "city_key": "ix_admin_pois_city",
}
_OF_THE_POI = ("status", "shown")
"""In all lists that a POI is in, these are the same."""

_Position = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class Lists:
    """The rows that have one of the values in each column of `key`: for each choice of values a list."""

    table: Table
    key: Mapping[str, tuple[Any, ...]]
    narrowing: Narrowing | None = None

    @property
    def poi_id(self) -> Column[Any]:
        return self.table.c.poi_id if self.table is _words else self.table.c.id

    def rows(self, start: _Position | None, end: _Position | None = None) -> list[Select[tuple[str, UUID]]]:
        """Each list after `start` and up to `end`."""
        name, poi_id = self.table.c.sort_name, self.poi_id
        part: list[ColumnElement[bool]] = []
        if start is not None:
            part.append(after(name, poi_id, *start))
        if end is not None:
            part.append(and_(name <= end[0], or_(name < end[0], poi_id <= end[1])))
        return [
            select(name, poi_id.label("poi_id")).where(*condition, *part).order_by(name, poi_id)
            for condition in self._conditions()
        ]

    def has(self, other: Lists) -> ColumnElement[bool]:
        """Whether a row of `other` is in one of these too; no join, which a database may begin at any end."""
        if self.narrowing is not None and len(self.key["word"]) > LOOKED_FOR:
            return self.narrowing.of(other.poi_id)
        same = [name for name in self.key if name in _OF_THE_POI and name in other.key]
        own = {name: values for name, values in self.key.items() if name not in same}
        # one by one: MariaDB would read all rows of a list rather than look for one in several
        found = (
            self._has(other, same, dict(zip(own, values, strict=True))) for values in product(*own.values())
        )
        return or_(false(), *found)

    def _has(self, other: Lists, same: Sequence[str], values: Mapping[str, Any]) -> ColumnElement[bool]:
        there = self.table.alias()
        poi_id = there.c.poi_id if self.table is _words else there.c.id
        index = _INDEXES[list(self.key)[-1] if self.table is _pois else "word"]
        found = (
            select(literal_column("1", Integer))
            .select_from(there)
            .where(*(there.c[name] == value for name, value in values.items()))
            .where(*(there.c[name] == other.table.c[name] for name in (*same, "sort_name")))
            # for SQLite, which would take the index of the ids, from one end of the table to the other
            .where(poi_id.between(other.poi_id, other.poi_id))
            # for MariaDB, which is afraid of as many rows as there are
            .with_hint(there, f"FORCE INDEX ({index})", "mysql")
            .limit(1)
            .correlate(other.table)
        )
        return found.scalar_subquery().is_not(None)

    def _conditions(self) -> Iterator[list[ColumnElement[bool]]]:
        for values in product(*self.key.values()):
            yield [self.table.c[name] == value for name, value in zip(self.key, values, strict=True)]


def lists_of(
    connection: Connection, query: PoiQuery, wanted: Sequence[Narrowing]
) -> tuple[list[Lists], list[Narrowing]]:
    """What the page has to be in, and what of `wanted` is no list, as it begins too many words."""
    statuses = tuple(status.value for status in query.statuses)
    shown = tuple(sorted({status in SHOWN for status in query.statuses}))
    found: list[Lists] = []
    rest: list[Narrowing] = []
    for each in wanted:
        if each.column is not None:
            found.append(Lists(_pois, {"status": statuses, each.column: (each.value,)}))
            continue
        words = words_like(connection, each, MANY_WORDS // max(1, len(query.words)))
        if words is None:
            rest.append(each)
        else:
            found.append(Lists(_words, {"word": words, "shown": shown}, each))
    if not found or (all(lists.table is _words for lists in found) and not _says_all(query)):
        found.append(Lists(_pois, {"status": statuses}))
    return found, rest


def _says_all(query: PoiQuery) -> bool:
    """Whether what is shown, and what is not, is all that the query says about statuses."""
    shown = [status in SHOWN for status in query.statuses]
    return shown.count(True) in (0, len(SHOWN)) and shown.count(False) in (0, len(PoiStatus) - len(SHOWN))


def by_name(
    connection: Connection, query: PoiQuery, met: Sequence[Lists], asked: Sequence[Narrowing]
) -> Page[Poi]:
    """The page of those that are in each of `met`, and have what is `asked` besides."""
    limit = query.limit + 1
    start = None if query.cursor is None else sorted_cursor(query.cursor, str)
    window: int = WINDOW
    found: set[_Position] = set()
    while True:
        leader, end = (met[0], None) if len(met) == 1 else _leader(connection, met, start, window)
        conditions = [lists.has(leader) for lists in met if lists is not leader]
        conditions += [each.of(leader.poi_id) for each in asked]
        parts = [part.where(*conditions).limit(limit).subquery() for part in leader.rows(start, end)]
        if parts:
            # one that has two of the words is in two of the lists
            found |= {(row.sort_name, row.poi_id) for row in connection.execute(_all(parts))}
        if len(found) >= limit or end is None:
            break
        start, window = end, GROWTH * window
    first = sorted(found, key=_place)[:limit]
    rows = whole_rows(connection, [poi_id for _, poi_id in first])
    return page_of_rows(rows, query.limit, ORDERS[query.sort])


def _leader(
    connection: Connection, met: Sequence[Lists], start: _Position | None, window: int
) -> tuple[Lists, _Position | None]:
    """Who gets furthest from `start` in `window` rows of each list, and how far; None: to its end."""
    ends = [
        select(literal(number).label("number"), part.limit(1).offset(window - 1).subquery())
        for number, lists in enumerate(met)
        for part in lists.rows(start)
    ]
    reached: dict[int, _Position] = {}
    for row in connection.execute(union_all(*ends)) if ends else ():
        end = (row.sort_name, row.poi_id)
        reached[row.number] = min(end, reached.get(row.number, end), key=_place)
    for number, lists in enumerate(met):
        if number not in reached:
            return lists, None
    furthest = max(reached, key=lambda number: _place(reached[number]))
    return met[furthest], reached[furthest]


def _all(parts: Sequence[Subquery]) -> CompoundSelect[Any]:
    return union_all(*(select(part) for part in parts))


def _place(position: _Position) -> tuple[str, bytes]:
    return position[0], position[1].bytes
