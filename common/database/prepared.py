"""Statements of the hot path: written once with SQLAlchemy Core, compiled once, run on the bare driver.

Core spends several times the driver's own time on each execution of a statement that never changes. A
`Prepared` keeps what Core is good for (one text for every dialect, types, names) and skips the rest.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, Dialect, Select, UpdateBase

Statement = Select[Any] | UpdateBase
MadeStatement = Statement | Callable[[str], Statement]
_Processor = Callable[[Any], Any]


class Prepared:
    """A statement with named parameters. Parameters of an INSERT are its columns; no expanding IN.

    Args:
        statement: the statement, or a function of the dialect's name that makes it.
        columns: for an INSERT, the columns that are given; None for all of them.
    """

    __slots__ = ("_columns", "_forms", "_statement")

    def __init__(self, statement: MadeStatement, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._forms: dict[str, _Form] = {}

    def run(self, connection: Connection, **parameters: Any) -> int:
        """Execute it; how many rows it found or wrote. KeyError for a parameter that is missing."""
        with closing(self._executed(connection, parameters)) as cursor:
            return int(cursor.rowcount)

    def run_all(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute it once for each of `rows`."""
        form = self._form(connection)
        bound = [form.bound(row) for row in rows]
        if not bound:
            return
        with closing(_cursor(connection)) as cursor:
            _announce(connection, cursor, form.text, bound)
            cursor.executemany(form.text, bound)

    def rows(self, connection: Connection, **parameters: Any) -> list[Any]:
        """The rows it selects, with the columns as attributes."""
        with closing(self._executed(connection, parameters)) as cursor:
            return [self._form(connection).row(values) for values in cursor.fetchall()]

    def row(self, connection: Connection, **parameters: Any) -> Any | None:
        """The one row it selects, or None."""
        found = self.rows(connection, **parameters)
        return found[0] if found else None

    def _executed(self, connection: Connection, parameters: Mapping[str, Any]) -> Any:
        form = self._form(connection)
        cursor = _cursor(connection)
        bound = form.bound(parameters)
        _announce(connection, cursor, form.text, bound)
        cursor.execute(form.text, bound)
        return cursor

    def _form(self, connection: Connection) -> _Form:
        dialect = connection.dialect
        form = self._forms.get(dialect.name)
        if form is None:
            made = self._statement(dialect.name) if callable(self._statement) else self._statement
            form = self._forms[dialect.name] = _Form(made, self._columns, dialect)
        return form


class _Form:
    """A statement as one dialect writes it."""

    __slots__ = ("_binders", "_names", "_readers", "_row", "text")

    def __init__(self, statement: Statement, columns: Sequence[str] | None, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self.text = str(compiled)
        self._names: list[str] = compiled.positiontup
        constants = compiled.construct_params(_check=False)
        self._binders: list[tuple[str, _Processor | None, bool, Any]] = []
        for name in self._names:
            bind = compiled.binds[name]
            binder = bind.type.dialect_impl(dialect).bind_processor(dialect)
            self._binders.append((name, binder, bind.required, constants[name]))
        self._readers: list[_Processor | None] = []
        self._row: Any = None
        if isinstance(statement, Select):
            selected = list(statement.selected_columns)
            self._readers = [
                column.type.dialect_impl(dialect).result_processor(dialect, None) for column in selected
            ]
            names = [column.key or "value" for column in selected]
            row_type: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
            self._row = row_type._make

    def bound(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        values = []
        for name, binder, required, constant in self._binders:
            value = parameters[name] if required else constant
            values.append(value if binder is None else binder(value))
        return tuple(values)

    def row(self, values: Sequence[Any]) -> Any:
        return self._row(
            value if reader is None or value is None else reader(value)
            for value, reader in zip(values, self._readers, strict=True)
        )


def _cursor(connection: Connection) -> Any:
    return connection.connection.cursor()


def _announce(connection: Connection, cursor: Any, text: str, parameters: Any) -> None:
    """Who listens to Core's own statements hears of these, too."""
    for listener in connection.dispatch.before_cursor_execute:
        listener(connection, cursor, text, parameters, None, isinstance(parameters, list))
