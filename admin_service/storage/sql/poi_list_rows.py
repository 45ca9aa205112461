"""The statements of lists by name, each put together once: which list it is, where it begins and ends, and
what is looked for in others are parameters. To put them together anew took longer than to run them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Integer,
    Table,
    and_,
    bindparam,
    exists,
    false,
    literal_column,
    or_,
    select,
)
from sqlalchemy.sql.selectable import Select

from admin_service.storage.sql import poi_tables as tables
from common.database.keyset import after

Kind = tuple[str, ...]
"""The columns that say which list it is: one of words if the first is `word`, else one of POIs."""

WORDS: Kind = ("word", "shown")
KINDS = 256

_pois, _words = tables.pois, tables.poi_words
_INDEXES = {
    "shown": "PRIMARY",
    "status": "ix_admin_pois_name",
    "category": "ix_admin_pois_category",
    "category_group": "ix_admin_pois_group",
    "city_key": "ix_admin_pois_city",
}
"""By the last column of a kind."""

_OF_THE_POI = ("status", "shown")
"""In all lists that a POI is in, these are the same."""


def own_columns(kind: Kind, leader: Kind) -> Kind:
    """What does not follow from a row of `leader`."""
    return tuple(name for name in kind if not (name in _OF_THE_POI and name in leader))


@lru_cache(KINDS)
def end_of_stretch(kind: Kind, *, started: bool) -> Select[tuple[str, UUID]]:
    """A row of a list with `before_last` others before it. Parameters: this, the columns of `kind`, and where
    the list is `started`, `start_name` and `start_id`.
    """
    return _list(kind, started=started).limit(1).offset(bindparam("before_last", type_=Integer))


@lru_cache(KINDS)
def meeting(
    kind: Kind, others: tuple[tuple[Kind, int], ...], beginnings: int, *, started: bool, ended: bool
) -> Select[tuple[str, UUID]]:
    """The first `most` rows of a list that are in each of the `others` too; these are one of so many lists.

    Parameters: those of the list; `end_name` and `end_id` where it has `ended`; the `own_columns` of each of
    the others, as `NAME_OTHER_CHOICE`; for each of the `beginnings`, `first_NUMBER` and `last_NUMBER`: some
    word of the POI is from the first and before the last.
    """
    table = _table(kind)
    name, poi_id = table.c.sort_name, _poi_id(table)
    statement = _list(kind, started=started)
    if ended:
        end_name: BindParameter[str] = bindparam("end_name")
        same_name = or_(name < end_name, poi_id <= bindparam("end_id"))
        statement = statement.where(and_(name <= end_name, same_name))
    for number, (other, choices) in enumerate(others):
        # one by one: MariaDB would read all rows of a list rather than look for one in several
        found = (_is_in(table, kind, other, f"{number}_{choice}") for choice in range(choices))
        statement = statement.where(or_(false(), *found))
    for number in range(beginnings):
        there = _words.alias()
        begins = (there.c.word >= bindparam(f"first_{number}"), there.c.word < bindparam(f"last_{number}"))
        statement = statement.where(exists().where(there.c.poi_id == poi_id, *begins))
    return statement.limit(bindparam("most", type_=Integer))


def _list(kind: Kind, *, started: bool) -> Select[tuple[str, UUID]]:
    table = _table(kind)
    name, poi_id = table.c.sort_name, _poi_id(table)
    statement = select(name, poi_id.label("poi_id")).where(*_is(table, kind))
    if started:
        place = after(name, poi_id, bindparam("start_name"), bindparam("start_id"))  # type: ignore[arg-type]
        statement = statement.where(place)
    return statement.order_by(name, poi_id)


def _is_in(table: Table, leader: Kind, other: Kind, suffix: str) -> ColumnElement[bool]:
    """Whether a row of the leading `table` is in that list too; no join, which a database may begin at any
    end.
    """
    there = _table(other).alias()
    own = own_columns(other, leader)
    same = [name for name in (*other, "sort_name") if name not in own]
    poi_id = _poi_id(table)
    found = (
        select(literal_column("1", Integer))
        .select_from(there)
        .where(*(there.c[name] == bindparam(f"{name}_{suffix}") for name in own))
        .where(*(there.c[name] == table.c[name] for name in same))
        # for SQLite, which would take the index of the ids, from one end of the table to the other
        .where(_poi_id(there).between(poi_id, poi_id))
        # for MariaDB, which is afraid of as many rows as there are
        .with_hint(there, f"FORCE INDEX ({_INDEXES[other[-1]]})", "mysql")
        .limit(1)
        .correlate(table)
    )
    return found.scalar_subquery().is_not(None)


def _is(table: Table, names: Sequence[str]) -> list[ColumnElement[bool]]:
    return [table.c[name] == bindparam(name) for name in names]


def _table(kind: Kind) -> Table:
    return _words if kind == WORDS else _pois


def _poi_id(table: FromClause) -> ColumnElement[UUID]:
    return table.c.poi_id if "poi_id" in table.c else table.c.id
