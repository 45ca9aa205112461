"""What an SQL database says of its rows: marks of ranges, limits of columns, and what objected to a write."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    cast,
    func,
    select,
    type_coerce,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import Boolean, NullType

from common.transfer.port import Misfit
from common.transfer.sql_rows import Rows

_COLUMN = re.compile(r"column '(\w+)'")
_NAMED = 100
_INTEGER = 2**31 - 1


def own_mark(connection: Connection, table: Table, rows: Rows, chosen: ColumnElement[bool]) -> str:
    """Of the rows: another one as soon as any of them is. For SQLite, which has no hash: it is in this
    process, and its rows come fast.
    """
    columns = [type_coerce(each, NullType()) for each in table.c if each.name not in rows.unstamped]
    count, total = 0, 0
    for row in connection.execute(select(*columns).where(chosen)):
        count += 1
        total ^= int.from_bytes(hashlib.blake2b(repr(tuple(row)).encode(), digest_size=8).digest())
    return f"{count}:{total:x}"


def server_mark(connection: Connection, table: Table, rows: Rows, chosen: ColumnElement[bool]) -> str:
    """The same by a hash that the server makes: no row comes over the wire."""
    columns = [func.ifnull(_plain(each), "-") for each in table.c if each.name not in rows.unstamped]
    # 60 bits fit every integer
    mark = cast(func.conv(func.left(func.md5(func.concat_ws("|", *columns)), 15), 16, 10), Integer)
    statement = select(func.count(), func.bit_xor(mark)).select_from(table).where(chosen)
    count, total = connection.execute(statement).one()
    return f"{count}:{int(total):x}"


def _plain(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Integer | BigInteger | Boolean | Float):
        return func.concat(column)
    return func.md5(column) if isinstance(column.type, LargeBinary) else func.hex(column)


def dangling(connection: Connection, table: Table, constraint: Any) -> Iterator[Misfit]:
    """Rows whose reference leads nowhere."""
    (element,) = constraint.elements
    child, parent = element.parent, element.column
    other = parent.table.alias()
    key = list(table.primary_key.columns)
    statement: Select[Any] = (
        select(*key)
        .join_from(table, other, other.c[parent.name] == child, isouter=True)
        .where(child.is_not(None), other.c[parent.name].is_(None))
        .limit(_NAMED)
    )
    for row in connection.execute(statement):
        yield Misfit(table.name, tuple(row), f"{child.name} leads to nothing in {parent.table.name}")


def said(error: DBAPIError) -> str:
    """Which rule objected; the words of a database may have the content in them."""
    original = error.orig
    arguments = getattr(original, "args", ())
    number = arguments[0] if arguments and isinstance(arguments[0], int) else None
    text = str(arguments[-1]) if arguments else ""
    column = _COLUMN.search(text)
    if column is not None:
        return f"{type(original).__name__} {number}: column {column[1]}"
    if number is None and "constraint failed" in text:
        return text
    return f"{type(original).__name__} {number or ''}".strip()


def limits(table: Table) -> Iterator[tuple[str, int]]:
    """The columns that take only so many characters, or only whole numbers below a bound."""
    for column in table.c:
        if isinstance(column.type, String) and column.type.length is not None:
            yield column.name, column.type.length
        elif isinstance(column.type, Integer) and not isinstance(column.type, BigInteger):
            yield column.name, _INTEGER


def exceeds(value: Any, most: int) -> bool:
    """Whether the value is beyond the limit of its column."""
    if isinstance(value, str):
        return len(value) > most
    return isinstance(value, int) and not -most - 1 <= value <= most
