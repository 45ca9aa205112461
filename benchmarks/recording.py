"""Record the statements of one sale, as the service executes them, so that a floor can execute the same.

`python -m benchmarks.recording FILE SLOT UNIT` runs the service's own WSGI app in this process, sells
twice, and writes both sales: what differs between them is what a floor must make anew for each booking.
"""

from __future__ import annotations

import pickle
import sqlite3
import subprocess
import sys
import tempfile
import threading
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import environ, urandom
from pathlib import Path
from time import time_ns
from typing import Any, Self
from uuid import UUID

import pymysql
import pymysql.cursors
from sqlalchemy import Dialect, Engine, event

from common.database.kinds import kind_of

Executed = tuple[str, list[tuple[Any, ...]], bool]
"""A statement in the driver's words, its rows of parameters, and whether it went through `executemany`."""

_MACHINERY = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT")
_ID_SIZE, _TEXT_SIZE = 16, 48


@dataclass(frozen=True, slots=True)
class Fresh:
    """A place for a value that is new for each booking: `kind` is `id7`, `id`, `bytes` or `text`."""

    number: int
    kind: str
    like: Any


class TheSlot:
    """A place in a statement for the slot, which is also the id of its counter."""


@dataclass(frozen=True, slots=True)
class Sale:
    """The statements of a hold and its confirmation, with places for what is new in each booking."""

    statements: tuple[Executed, ...]
    fresh: tuple[Fresh, ...]

    def filled(self, slot_id: UUID) -> Iterator[Executed]:
        """The statements of a new booking on a slot."""
        made = [made_value(place) for place in self.fresh]
        slot = slot_id.bytes
        for sql, rows, many in self.statements:
            yield sql, [_filled(row, made, slot) for row in rows], many


def record_sale(env: Mapping[str, str], slot_id: UUID, unit_id: UUID) -> Sale:
    """What one hold and confirm with the settings `env` executes; a free ticket without a voucher."""
    return template(*recorded(env, slot_id, unit_id), slot_id)


def recorded(env: Mapping[str, str], slot_id: UUID, unit_id: UUID) -> tuple[Any, Any]:
    """What each of two sales with these settings executed, as its store's driver has it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sales"
        argv = [sys.executable, "-m", "benchmarks.recording", str(file), str(slot_id), str(unit_id)]
        subprocess.run(argv, env={**environ, **env}, check=True, timeout=60)
        first, second = pickle.loads(file.read_bytes())
    return first, second


def template(first: Sequence[Executed], second: Sequence[Executed], slot_id: UUID) -> Sale:
    """The statements of `first` with a place wherever `second` has another value.

    Raises ValueError when the two are not the same statements.
    """
    if [(sql, len(rows)) for sql, rows, _ in first] != [(sql, len(rows)) for sql, rows, _ in second]:
        raise ValueError("two sales executed different statements")
    places: dict[Any, Fresh] = {}

    def place(value: Any, other: Any) -> Any:
        if value == slot_id.bytes:
            return TheSlot
        if value == other or not isinstance(value, str | bytes):
            return value
        return places.setdefault(value, Fresh(len(places), kind_of_value(value), value))

    statements = tuple(
        (sql, [tuple(map(place, *pair)) for pair in zip(rows, others, strict=True)], many)
        for (sql, rows, many), (_, others, _) in zip(first, second, strict=True)
    )
    return Sale(statements, tuple(places.values()))


def _plain(value: Any) -> Any:
    """SQLAlchemy gives SQLite its bytes as a view."""
    return bytes(value) if isinstance(value, memoryview) else value


def kind_of_value(value: str | bytes) -> str:
    """The `kind` of a place that has such values."""
    if isinstance(value, str):
        return "text"
    if len(value) != _ID_SIZE:
        return "bytes"
    return "id7" if UUID(bytes=value).version == 7 else "id"


def made_value(place: Fresh) -> str | bytes:
    """A new value of the same kind and length. Only what an index sees must be new; the rest stays alike."""
    if place.kind == "id7":
        # those of one millisecond are numbered, as in the service: a history is read in the order of its ids
        numbered = (7 << 12 | place.number).to_bytes(2)
        return (time_ns() // 1_000_000).to_bytes(6) + numbered + urandom(8)
    if place.kind == "id":
        return urandom(_ID_SIZE)
    like: Any = place.like
    if place.kind == "bytes":
        return bytes(urandom(_ID_SIZE) + like[_ID_SIZE:])
    return str((b64encode(urandom(_TEXT_SIZE)).decode() + like[4 * _TEXT_SIZE // 3 :])[: len(like)])


def _filled(row: tuple[Any, ...], made: Sequence[Any], slot: bytes) -> tuple[Any, ...]:
    return tuple(
        made[value.number] if value.__class__ is Fresh else slot if value is TheSlot else value
        for value in row
    )


class _Recorder:
    """Notes what the drivers execute on connections that SQLAlchemy opens from now on."""

    def __init__(self) -> None:
        self.statements: list[Executed] = []
        event.listen(Engine, "do_connect", self._connecting)

    def note(self, sql: str, rows: Iterable[Sequence[Any]], many: bool) -> None:
        # the threads of the health checks are no part of a sale
        if threading.current_thread() is threading.main_thread() and not sql.startswith(_MACHINERY):
            self.statements.append((sql, [tuple(map(_plain, row)) for row in rows], many))

    def _connecting(self, dialect: Dialect, _: Any, __: Any, arguments: dict[str, Any]) -> None:
        note = self.note

        class SqliteCursor(sqlite3.Cursor):
            def execute(self, sql: str, parameters: Any = (), /) -> Self:
                note(sql, [parameters], False)
                return super().execute(sql, parameters)

            def executemany(self, sql: str, rows: Any, /) -> Self:
                note(sql, rows, True)
                return super().executemany(sql, rows)

        class SqliteConnection(sqlite3.Connection):
            def cursor(self, factory: Any = SqliteCursor) -> Any:
                return super().cursor(factory)

        class MySqlCursor(pymysql.cursors.Cursor):
            many = False

            def execute(self, query: str, args: Any = None) -> int:
                if not self.many:
                    note(query, [args or ()], False)
                return super().execute(query, args)

            def executemany(self, query: str, args: Any) -> int | None:
                note(query, args, True)
                self.many = True  # it executes by itself what it makes of the rows
                try:
                    return super().executemany(query, args)
                finally:
                    self.many = False

        if dialect.name == "sqlite":
            arguments["factory"] = SqliteConnection
        else:
            arguments["cursorclass"] = MySqlCursor


def _recorder(url: str) -> Any:
    if kind_of(url) != "mongodb":
        return _Recorder()
    from benchmarks.recording_mongodb import CommandRecorder  # noqa: PLC0415 - it builds on this module

    return CommandRecorder()


class InProcess:
    """The service's WSGI app in this process, and a recorder of what its drivers execute."""

    def __init__(self) -> None:
        self._recorder = _recorder(environ["DATABASE_URL"])
        from ticketing_service.wsgi import app  # noqa: PLC0415 - reads settings that only the child has

        self._client = app.test_client()

    def sell(self, slot_id: UUID, unit_id: UUID, number: int) -> list[Any]:
        """Hold and confirm, as guest `number` (below 100), and return the statements of both."""
        body = {
            "items": [{"slotId": str(slot_id), "units": [{"unitId": str(unit_id), "quantity": 1}]}],
            "customer": {"name": "Guest", "email": f"recording-{number:02}@example.com", "language": "en"},
        }
        key = {"Idempotency-Key": f"recording-{number:012}", "X-Real-IP": f"192.0.2.{number}"}
        self._recorder.statements = []
        held = self._answer(201, "/api/v1/bookings", json=body, headers=key)
        bearer = {"Authorization": f"Bearer {held['accessToken']}"}
        self._answer(200, f"/api/v1/bookings/{held['id']}/confirm", headers=bearer)
        made: list[Any] = self._recorder.statements
        return made

    def _answer(self, status: int, path: str, **request: Any) -> dict[str, Any]:
        answer = self._client.post(path, **request)
        if answer.status_code != status:
            raise SystemExit(f"{path} was answered {answer.status_code}: {answer.text}")
        return answer.json or {}


def main(file: str, slot: str, unit: str) -> None:
    """Write two sales to `file`; one before them is thrown away, with what is done once a process."""
    service = InProcess()
    sales = [service.sell(UUID(slot), UUID(unit), number) for number in range(1, 4)]
    Path(file).write_bytes(pickle.dumps(sales[1:]))


if __name__ == "__main__":
    main(*sys.argv[1:])
