"""What narrows a search: words, tags, cities, categories; which of it is rare, and so the place to begin.

Among a million POIs a database that guesses may walk all of them for a word that ten have, or look up half a
million for one that all have. So it is not left to guess: what at most `RARE` POIs have is looked up by its
own index, and the rest is asked of what was found. Only when nothing is rare the list is walked in its order:
then what is wanted comes up soon.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, select
from sqlalchemy.sql.selectable import Select

from admin_service.domain.categories import is_group
from admin_service.domain.searching import PoiQuery, city_key, tag_word
from admin_service.storage.sql import poi_tables as tables

_pois, _words = tables.pois, tables.poi_words

RARE = 1000
LAST_CHARACTER = "\U0010ffff"
"""Sorts after whatever a word may go on with, by bytes as by code points."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One thing that a POI must have. `ids`: who has it, by its own index; `condition`: whether a POI of the
    walked list has it; `holds`: whether a row that was looked up does, where its columns tell.
    """

    ids: Select[tuple[UUID]]
    condition: ColumnElement[bool]
    holds: Callable[[Row[Any]], bool] | None = None
    prefix: str | None = None


def narrowings(query: PoiQuery) -> list[Narrowing]:
    """All that the query narrows by, its statuses, places and times aside."""
    found = [_word(prefix) for prefix in query.words]
    if query.tag is not None:
        found.append(_tag(tag_word(query.tag)))
    if query.city is not None:
        found.append(_column(query, "city_key", city_key(query.city)))
    if query.category is not None:
        name = "category_group" if is_group(query.category) else "category"
        found.append(_column(query, name, query.category))
    return found


def rare_ids(connection: Connection, wanted: Sequence[Narrowing]) -> tuple[set[UUID] | None, list[Narrowing]]:
    """Who has all that is rare (None when nothing is), and what is still to be asked of them."""
    frequent = [each for each in wanted if _is_frequent(connection, each.ids)]
    rare = [each for each in wanted if each not in frequent]
    if not rare:
        words = [each for each in frequent if each.prefix is not None]
        together = _together(connection, words) if len(words) > 1 else None
        return together, [each for each in frequent if together is None or each not in words]
    found = [set(connection.scalars(each.ids)) for each in rare]
    return set.intersection(*found), frequent


def _is_frequent(connection: Connection, ids: Select[tuple[UUID]]) -> bool:
    """Whether more than `RARE` rows are there; counted by the database, and no further."""
    return connection.execute(ids.limit(1).offset(RARE)).first() is not None


def _together(connection: Connection, words: Sequence[Narrowing]) -> set[UUID] | None:
    """The POIs that have all of several frequent words; None when they are many."""
    first, *others = words
    there = [_has_word(_words.c.poi_id, each.prefix or "") for each in others]
    found = connection.scalars(first.ids.where(*there).limit(RARE + 1)).all()
    return None if len(found) > RARE else set(found)


def _word(prefix: str) -> Narrowing:
    ids = select(_words.c.poi_id).where(_begins(_words.c.word, prefix))
    return Narrowing(ids, _has_word(_pois.c.id, prefix), prefix=prefix)


def _tag(word: str) -> Narrowing:
    there = _words.alias()
    has = exists().where(there.c.poi_id == _pois.c.id, there.c.word == word)
    return Narrowing(select(_words.c.poi_id).where(_words.c.word == word), has)


def _column(query: PoiQuery, name: str, value: str) -> Narrowing:
    statuses = [status.value for status in query.statuses]
    ids = select(_pois.c.id).where(_pois.c.status.in_(statuses), _pois.c[name] == value)
    return Narrowing(ids, _pois.c[name] == value, holds=lambda row: bool(getattr(row, name) == value))


def _has_word(poi_id: ColumnElement[Any], prefix: str) -> ColumnElement[bool]:
    there = _words.alias()
    return exists().where(there.c.poi_id == poi_id, _begins(there.c.word, prefix))


def _begins(word: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    return and_(word >= prefix, word < prefix + LAST_CHARACTER)
