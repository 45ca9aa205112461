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

from sqlalchemy import Connection

from admin_service.domain.poi import SHOWN, Poi, PoiStatus
from admin_service.domain.searching import PoiQuery
from admin_service.storage.sql.poi_list_rows import WORDS, Kind, end_of_stretch, meeting, own_columns
from admin_service.storage.sql.poi_lookup import whole_rows
from admin_service.storage.sql.poi_narrowing import LAST_CHARACTER, Narrowing, words_like
from admin_service.storage.sql.poi_orders import ORDERS, page_of_rows
from common.database.keyset import sorted_cursor
from common.pages import Page

WINDOW, GROWTH = 1024, 4
"""Rows of the first stretch, and how much longer each following one is. To count as many costs as much as a
statement does.
"""

MANY_WORDS = 64
"""So many words the beginnings of all words of a query may stand for; what stands for more is no list."""

LOOKED_FOR = 4
"""Of so many words each can be looked for in its list; of more, the POI's own words are asked."""

_Position = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class Lists:
    """Those of a `kind` with one of the `values` in each of its columns: for each choice of values a list.
    `prefix`: how all words of the values begin.
    """

    kind: Kind
    values: tuple[tuple[Any, ...], ...]
    prefix: str | None = None

    def choices(self, names: Kind) -> list[tuple[Any, ...]]:
        """Of the values of some of the columns."""
        return list(
            product(*(values for name, values in zip(self.kind, self.values, strict=True) if name in names))
        )

    def each(self) -> Iterator[dict[str, Any]]:
        """What names each list."""
        for values in product(*self.values):
            yield dict(zip(self.kind, values, strict=True))


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
            found.append(Lists(("status", each.column), (statuses, (each.value,))))
            continue
        words = words_like(connection, each, MANY_WORDS // max(1, len(query.words)))
        if words is None:
            rest.append(each)
        else:
            found.append(Lists(WORDS, (words, shown), each.prefix))
    if not found or (all(lists.kind == WORDS for lists in found) and not _says_all(query)):
        found.append(Lists(("status",), (statuses,)))
    return found, rest


def _says_all(query: PoiQuery) -> bool:
    """Whether what is shown, and what is not, is all that the query says about statuses."""
    shown = [status in SHOWN for status in query.statuses]
    return shown.count(True) in (0, len(SHOWN)) and shown.count(False) in (0, len(PoiStatus) - len(SHOWN))


def by_name(
    connection: Connection, query: PoiQuery, met: Sequence[Lists], rest: Sequence[Narrowing]
) -> Page[Poi]:
    """The page of those that are in each of `met`, and have what is left over besides."""
    limit = query.limit + 1
    start = None if query.cursor is None else sorted_cursor(query.cursor, str)
    window: int = WINDOW
    found: set[_Position] = set()
    while True:
        leader, end = (met[0], None) if len(met) == 1 else _leader(connection, met, start, window)
        others = [lists for lists in met if lists is not leader]
        # one that has two of the words is in two of the lists
        found |= _meeting(
            connection, leader, others, rest, _place_in("start", start), _place_in("end", end), limit
        )
        if len(found) >= limit or end is None:
            break
        start, window = end, GROWTH * window
    first = sorted(found, key=_order)[:limit]
    rows = whole_rows(connection, [poi_id for _, poi_id in first])
    return page_of_rows(rows, query.limit, ORDERS[query.sort])


def _leader(
    connection: Connection, met: Sequence[Lists], start: _Position | None, window: int
) -> tuple[Lists, _Position | None]:
    """Who gets furthest from `start` in `window` rows of each list, and how far; None: to its end."""
    reached: list[tuple[Lists, _Position]] = []
    stretch = {**_place_in("start", start), "before_last": window - 1}
    for lists in met:
        statement = end_of_stretch(lists.kind, started=start is not None)
        rows = [connection.execute(statement, {**named, **stretch}).first() for named in lists.each()]
        ends = [(row.sort_name, row.poi_id) for row in rows if row is not None]
        if not ends:
            return lists, None
        reached.append((lists, min(ends, key=_order)))
    return max(reached, key=lambda pair: _order(pair[1]))


def _meeting(
    connection: Connection,
    leader: Lists,
    others: Sequence[Lists],
    rest: Sequence[Narrowing],
    start: Mapping[str, Any],
    end: Mapping[str, Any],
    limit: int,
) -> set[_Position]:
    """The first of each of the leading lists."""
    parameters: dict[str, Any] = {**start, **end, "most": limit}
    looked_for: list[tuple[Kind, int]] = []
    beginnings = [each.prefix or "" for each in rest]
    for other in others:
        if other.prefix is not None and len(other.values[0]) > LOOKED_FOR:
            beginnings.append(other.prefix)
            continue
        own, number = own_columns(other.kind, leader.kind), len(looked_for)
        choices = other.choices(own)
        looked_for.append((other.kind, len(choices)))
        for choice, values in enumerate(choices):
            parameters |= {
                f"{name}_{number}_{choice}": value for name, value in zip(own, values, strict=True)
            }
    for number, prefix in enumerate(beginnings):
        parameters |= {f"first_{number}": prefix, f"last_{number}": prefix + LAST_CHARACTER}
    statement = meeting(leader.kind, tuple(looked_for), len(beginnings), started=bool(start), ended=bool(end))
    return {
        (row.sort_name, row.poi_id)
        for named in leader.each()
        for row in connection.execute(statement, {**named, **parameters})
    }


def _place_in(name: str, position: _Position | None) -> dict[str, Any]:
    return {} if position is None else {f"{name}_name": position[0], f"{name}_id": position[1]}


def _order(position: _Position) -> tuple[str, bytes]:
    return position[0], position[1].bytes
