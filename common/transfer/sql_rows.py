"""How a document lies in tables: declared once by each service, read and written by `common.transfer.sql`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Dialect, MetaData, Table, Text, and_, or_
from sqlalchemy.types import TypeDecorator

from common.database.types import Instant, LocalTime
from common.transfer.documents import Document, Key

Fill = Callable[[Document, Document, Any, int], Mapping[str, Any]]
"""The values of columns that the documents do not have: of (root, parent, item, position)."""


def _nothing(root: Document, parent: Document, item: Any, position: int) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of `table`, each a document, or for a part an item of the list `field` of its parent's document.

    Args:
        key: the columns that are the key; for a part, those that hold the key of its parent.
        root: for a part, the columns that hold the key of the whole document; `key` by default.
        identity: the columns by which the parts of these rows know them.
        order: the columns in whose order a part's rows are listed.
        only: items are the values of this column alone.
        without: columns that are not in the document; `fill` has them.
        unstamped: large columns that never change unless another one does.
        where: which rows of the table are meant.
        values: makes the document of the row's values, and `back` the values of the document.
    """

    table: Table
    key: tuple[str, ...] = ("id",)
    root: tuple[str, ...] = ()
    identity: tuple[str, ...] = ("id",)
    field: str = ""
    order: tuple[str, ...] = ()
    only: str = ""
    without: tuple[str, ...] = ()
    fill: Fill = _nothing
    unstamped: tuple[str, ...] = ()
    where: Callable[[Table], ColumnElement[bool]] | None = None
    values: Callable[[Document], Document] | None = None
    back: Callable[[Document], Document] | None = None
    parts: tuple[Rows, ...] = ()

    @property
    def root_columns(self) -> tuple[str, ...]:
        return self.root or self.key

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The columns that are in the document."""
        if self.only:
            return (self.only,)
        return tuple(str(column.name) for column in self.table.c if column.name not in self.without)


class RawLocalTime(TypeDecorator[str]):
    """What `LocalTime` keeps, as its text."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(LocalTime().load_dialect_impl(dialect))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        return value.encode() if value is not None and dialect.name == "mysql" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return value.decode() if isinstance(value, bytes) else value


def neutral_table(table: Table) -> Table:
    """The same table, whose values are those of the neutral form."""
    return Table(table.name, MetaData(), *(Column(each.name, _neutral(each.type)) for each in table.c))


def within(table: Table, names: tuple[str, ...], after: Key | None, upto: Key | None) -> ColumnElement[bool]:
    """The rows whose `names` are after one key and up to another."""
    conditions = []
    if after is not None:
        conditions.append(_beyond(table, names, after))
    if upto is not None:
        conditions.append(_up_to(table, names, upto))
    return and_(True, *conditions)


def _beyond(table: Table, names: tuple[str, ...], key: Key) -> ColumnElement[bool]:
    """Spelled out: not every database looks up an index for a comparison of rows."""
    first, *others = (table.c[name] for name in names)
    if not others:
        return and_(first > key[0])
    deeper = _beyond(table, names[1:], key[1:])
    return and_(first >= key[0], or_(first > key[0], deeper))


def _up_to(table: Table, names: tuple[str, ...], key: Key) -> ColumnElement[bool]:
    first, *others = (table.c[name] for name in names)
    if not others:
        return and_(first <= key[0])
    return and_(first <= key[0], or_(first < key[0], _up_to(table, names[1:], key[1:])))


def _neutral(kind: Any) -> Any:
    if isinstance(kind, Instant):
        return BigInteger()
    return RawLocalTime() if isinstance(kind, LocalTime) else kind
