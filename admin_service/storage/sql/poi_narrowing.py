"""What narrows a search: words, tags, cities, categories; and which of it so few POIs have that it leads.

Among a million POIs a database that guesses may walk all of them for a word that ten have, or look up half a
million for one that all have. It is not left to guess: what few have is looked up, or a list is walked in
order and the rest is asked of each POI on the way. Lists by name go another way, see `poi_lists`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Integer, and_, bindparam, exists, func, literal, select
from sqlalchemy.sql.selectable import Select

from admin_service.domain.categories import is_group
from admin_service.domain.searching import PoiQuery, city_key, tag_word
from admin_service.storage.sql import poi_tables as tables

_pois, _words = tables.pois, tables.poi_words

RARE = 1000
"""So many POIs can be looked up one by one."""

LAST_CHARACTER = "\U0010ffff"
"""Sorts after whatever a word may go on with, by bytes as by code points."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One thing that a POI must have: a word that begins like `prefix`, the `word` itself (a tag), or a
    `value` in a `column`. `ids`: who has it, by its own index.
    """

    ids: Select[tuple[UUID]]
    prefix: str | None = None
    word: str | None = None
    column: str | None = None
    value: str | None = None

    def of(self, poi_id: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether the POI of that id has it; for what is no column."""
        there = _words.alias()
        found = there.c.word == self.word if self.prefix is None else begins(there.c.word, self.prefix)
        return exists().where(there.c.poi_id == poi_id, found)

    def asked(self) -> ColumnElement[bool]:
        """Whether the POI of a walked row has it; said so that no index of its own is taken for it."""
        if self.column is None:
            return self.of(_pois.c.id)
        return func.coalesce(_pois.c[self.column], "") == self.value


@dataclass(frozen=True, slots=True)
class Led:
    """`first` leads, `others` are asked."""

    first: Narrowing
    others: tuple[Narrowing, ...]


def narrowings(query: PoiQuery) -> list[Narrowing]:
    """All that the query narrows by, its statuses, places and times aside."""
    found = [_prefix(prefix) for prefix in query.words]
    if query.tag is not None:
        word = tag_word(query.tag)
        found.append(Narrowing(select(_words.c.poi_id).where(_words.c.word == word), word=word))
    if query.city is not None:
        found.append(_column(query, "city_key", city_key(query.city)))
    if query.category is not None:
        name = "category_group" if is_group(query.category) else "category"
        found.append(_column(query, name, query.category))
    return found


def led_by_few(connection: Connection, wanted: Sequence[Narrowing]) -> Led | None:
    """The rarest leads, where so few POIs have it that they can be looked up one by one; else None."""
    counts = [_count(connection, each.ids, RARE) for each in wanted]
    if min(counts, default=RARE + 1) > RARE:
        return None
    least = min(range(len(wanted)), key=counts.__getitem__)
    return Led(wanted[least], tuple(each for index, each in enumerate(wanted) if index != least))


def words_like(connection: Connection, narrowing: Narrowing, most: int) -> tuple[str, ...] | None:
    """The different words that a narrowing stands for; None when they are more than `most`. Hopping from each
    to the next costs as much as there are, and not as there are POIs.
    """
    if narrowing.prefix is None:
        return (narrowing.word or "",)
    hop = _hopped if connection.dialect.name == "mysql" else _hopped_at_once
    words = hop(connection, narrowing.prefix, most)
    return None if len(words) > most else words


def _hopped(connection: Connection, prefix: str, most: int) -> tuple[str, ...]:
    """One statement a word: MariaDB begins a range only at what it is told, not at what it has just found."""
    words: list[str] = []
    beginning = begins(_words.c.word, prefix)
    while len(words) <= most:
        word = connection.scalar(select(_words.c.word).where(beginning).order_by(_words.c.word).limit(1))
        if word is None:
            break
        words.append(word)
        beginning = and_(_words.c.word > word, _words.c.word < prefix + LAST_CHARACTER)
    return tuple(words)


def _hopped_at_once(connection: Connection, prefix: str, most: int) -> tuple[str, ...]:
    bounds = {"prefix": prefix, "last": prefix + LAST_CHARACTER, "most": most + 2}
    return tuple(word for word in connection.scalars(_HOPS, bounds) if word is not None)


def _hops() -> Select[tuple[str | None]]:
    """Put together once: it is asked for each word of a query."""
    from_prefix, before_last = _words.c.word >= bindparam("prefix"), _words.c.word < bindparam("last")
    beginning = select(_words.c.word).where(from_prefix, before_last).order_by(_words.c.word).limit(1)
    hops = select(beginning.scalar_subquery().label("word")).cte("hops", recursive=True)
    following = select(_words.c.word).where(_words.c.word > hops.c.word, before_last)
    following = following.order_by(_words.c.word).limit(1).correlate(hops)
    hops = hops.union_all(select(following.scalar_subquery()).where(hops.c.word.is_not(None)))
    return select(hops.c.word).limit(bindparam("most", type_=Integer))


_HOPS = _hops()


def begins(word: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    """Whether the word begins so, as an index finds it."""
    return and_(word >= prefix, word < prefix + LAST_CHARACTER)


def _count(connection: Connection, ids: Select[tuple[UUID]], most: int) -> int:
    """How many rows there are, counted by the database, and not beyond `most` + 1."""
    some = ids.with_only_columns(literal(1).label("one")).limit(most + 1).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0


def _prefix(prefix: str) -> Narrowing:
    return Narrowing(select(_words.c.poi_id).where(begins(_words.c.word, prefix)), prefix=prefix)


def _column(query: PoiQuery, name: str, value: str) -> Narrowing:
    statuses = [status.value for status in query.statuses]
    ids = select(_pois.c.id).where(_pois.c.status.in_(statuses), _pois.c[name] == value)
    return Narrowing(ids, column=name, value=value)
