"""Statements of the hot path: written once with SQLAlchemy Core, compiled once, run on the bare driver.

Core spends several times the driver's own time on each execution of a statement that never changes. A
`Prepared` keeps what Core is good for (one text for every dialect, types, names) and skips the rest.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Union
from weakref import WeakSet

from sqlalchemy import Connection, Dialect, Select, TypeDecorator, UpdateBase
from sqlalchemy.types import TypeEngine

from common.database.engine import Database

Statement = Select[Any] | UpdateBase
MadeStatement = Statement | Callable[[str], Statement]
_Processor = Callable[[Any], Any]
Target = Union[Connection, "Script"]
"""Where writes go to: a transaction, or what is to become one."""


class Prepared:
    """A statement with named parameters. Parameters of an INSERT are its columns; no expanding IN.

    Args:
        statement: the statement, or a function of the dialect's name that makes it.
        columns: for an INSERT, the columns that are given; None for all of them.
    """

    __slots__ = ("__weakref__", "_columns", "_forms", "_statement")

    def __init__(self, statement: MadeStatement, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._forms: dict[str, _Form] = {}
        _written.add(self)

    def compile(self, target: Target) -> None:
        """What its first execution would do before anything else; it takes milliseconds."""
        self._form(target)

    def run(self, connection: Connection, **parameters: Any) -> int:
        """Execute it; how many rows it found or wrote. KeyError for a parameter that is missing."""
        cursor = self._executed(connection, parameters)
        count = int(cursor.rowcount)
        cursor.close()
        return count

    def run_all(self, target: Target, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute it once for each of `rows`, now or when the script is played."""
        form = self._form(target)
        bound = [form.bound(row) for row in rows]
        if not bound:
            return
        if isinstance(target, Script):
            target.add(form.text, bound)
            return
        cursor = target.connection.cursor()
        _execute_all(target, cursor, form.text, bound)
        cursor.close()

    def rows(self, connection: Connection, **parameters: Any) -> list[Any]:
        """The rows it selects, with the columns as attributes."""
        cursor = self._executed(connection, parameters)
        found = self._form(connection).read(cursor.fetchall())
        cursor.close()
        return found

    def row(self, connection: Connection, **parameters: Any) -> Any | None:
        """The one row it selects, or None."""
        found = self.rows(connection, **parameters)
        return found[0] if found else None

    def _executed(self, connection: Connection, parameters: Mapping[str, Any]) -> Any:
        form = self._form(connection)
        cursor = connection.connection.cursor()
        bound = form.bound(parameters)
        _announce(connection, cursor, form.text, bound)
        cursor.execute(form.text, bound)
        return cursor

    def _form(self, target: Target) -> _Form:
        dialect = target.dialect
        form = self._forms.get(dialect.name)
        if form is None:
            made = self._statement(dialect.name) if callable(self._statement) else self._statement
            form = self._forms[dialect.name] = _Form(made, self._columns, dialect)
        return form


_written: WeakSet[Prepared] = WeakSet()


def compile_all(database: Database) -> None:
    """Compile what was written so far, for whoever is forked from this process. Raises `StoreUnavailable`:
    how a server wants its statements is asked of itself.
    """
    with database.read() as connection:
        for each in _written:
            each.compile(connection)


class Script:
    """Writes that are made before their turn, for a database of `dialect`: `Prepared.run_all` takes it in the
    place of a connection. `info` is as a connection's.
    """

    __slots__ = ("_writes", "dialect", "info")

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.info: dict[str, Any] = {}
        self._writes: list[tuple[str, list[tuple[Any, ...]]]] = []

    def add(self, text: str, bound: list[tuple[Any, ...]]) -> None:
        """A statement of the driver's, and its rows of parameters."""
        self._writes.append((text, bound))

    def play(self, connection: Connection) -> None:
        """Execute all of it, in the order in which it was written."""
        cursor = connection.connection.cursor()
        for text, bound in self._writes:
            _execute_all(connection, cursor, text, bound)
        cursor.close()


class _Form:
    """A statement as one dialect writes it."""

    __slots__ = ("_blank", "_conversions", "_given", "_readers", "_row", "text")

    def __init__(self, statement: Statement, columns: Sequence[str] | None, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self.text = str(compiled)
        constants = compiled.construct_params(_check=False)
        # a row of parameters with the constants in their places, and what is done to it for each execution
        self._blank: list[Any] = []
        self._given: list[tuple[int, str]] = []
        self._conversions: list[tuple[int, _Processor]] = []
        for index, name in enumerate(compiled.positiontup):
            bind = compiled.binds[name]
            self._blank.append(constants[name])
            if bind.required:
                self._given.append((index, name))
            if (convert := _to_driver(bind.type, dialect)) is not None:
                self._conversions.append((index, convert))
        self._readers: list[tuple[int, _Processor]] = []
        self._row: Any = None
        if isinstance(statement, Select):
            selected = list(statement.selected_columns)
            readers = ((index, _from_driver(column.type, dialect)) for index, column in enumerate(selected))
            self._readers = [(index, reader) for index, reader in readers if reader is not None]
            names = [column.key or "value" for column in selected]
            row_type: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
            self._row = row_type._make

    def bound(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        values = self._blank.copy()
        for index, name in self._given:
            values[index] = parameters[name]
        for index, convert in self._conversions:
            values[index] = convert(values[index])
        return tuple(values)

    def read(self, found: Iterable[Iterable[Any]]) -> list[Any]:
        rows = []
        for each in found:
            values = list(each)
            for index, reader in self._readers:
                values[index] = reader(values[index])
            rows.append(self._row(values))
        return rows


def _to_driver(kind: TypeEngine[Any], dialect: Dialect) -> _Processor | None:
    """What a value goes through on its way in. Our own types make what every driver takes as it is."""
    if isinstance(kind, TypeDecorator):
        return partial(kind.process_bind_param, dialect=dialect)
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _from_driver(kind: TypeEngine[Any], dialect: Dialect) -> _Processor | None:
    if isinstance(kind, TypeDecorator):
        return partial(kind.process_result_value, dialect=dialect)
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _execute_all(connection: Connection, cursor: Any, text: str, bound: list[tuple[Any, ...]]) -> None:
    _announce(connection, cursor, text, bound)
    if len(bound) == 1:
        cursor.execute(text, bound[0])
    else:
        cursor.executemany(text, bound)


def _announce(connection: Connection, cursor: Any, text: str, parameters: Any) -> None:
    """Who listens to Core's own statements hears of these, too."""
    if listeners := connection.dispatch.before_cursor_execute:
        for listener in listeners:
            listener(connection, cursor, text, parameters, None, isinstance(parameters, list))
