"""An SQLite file of cached values that the processes of a machine share. Losing it costs nothing but time."""

from __future__ import annotations

import contextlib
import logging
import re
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from common.coordination.locks import ForkAware
from common.coordination.trouble import Trouble
from common.identifiers import uuid7

T = TypeVar("T")

_PAGE_BYTES = 4096
_WAL_BYTES = 8_000_000
_BUSY_SECONDS = 0.2
# After a lock was met writes are left out for a moment, and when it lasts the file is given up.
_PAUSE_SECONDS = 0.25
_LOCKED_SECONDS = 2.0
# Where no file can be had at all, it is tried again after this.
_RETRY_SECONDS = 1.0
_EVICTED_SHARE = 8
_NAME = re.compile(r"values-([0-9]+)\.sqlite3([-.].*)?")
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, region TEXT NOT NULL, dead_at REAL NOT NULL,"
    " value BLOB NOT NULL)"
)

_log = logging.getLogger(__name__)


class ValueFile(ForkAware):
    """Keys to bytes. Nothing here raises: what cannot be read is absent, what cannot be written is not kept.

    Args:
        folder: is made when missing, and belongs to this alone.
        number: the present file's number, the same for all processes.
        advance: raises that number: a file that is damaged, full, read-only or locked for long is left to
            whoever still has it open, and removed; all go on with a new one.
        limit_bytes: the largest size of the file, without its write-ahead log of a few megabytes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        number: Callable[[], int],
        advance: Callable[[], int],
        limit_bytes: int,
    ) -> None:
        super().__init__()
        self._folder, self._number, self._advance = folder, number, advance
        self._limit_pages = max(limit_bytes // _PAGE_BYTES, 16)
        self._idle: list[tuple[int, sqlite3.Connection]] = []
        self._inherited: list[tuple[int, sqlite3.Connection]] = []
        self._locked_since: float | None = None
        self._pause_until = self._retry_at = 0.0
        self._trouble = Trouble(_log, f"the folder of cached values {folder}")

    def get(self, key: str) -> bytes | None:
        """The value kept under `key`."""

        def read(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute("SELECT value FROM entry WHERE key = ?", (key,)).fetchone()
            # A file that somebody else wrote to may hold anything.
            return row[0] if row is not None and isinstance(row[0], bytes) else None

        return self._run(read, None)

    def put(self, key: str, region: str, dead_at: float, value: bytes, unchanged: Callable[[], bool]) -> bool:
        """Keep `value` until `dead_at` (seconds since 1970) or until there is no room; whether it is kept.

        `unchanged` is asked while no other process can write: without it nothing is kept.
        """

        def write(connection: sqlite3.Connection) -> bool:
            connection.execute("BEGIN IMMEDIATE")
            if not unchanged():
                connection.execute("ROLLBACK")
                return False
            # Its number becomes the highest, so that what was written longest ago is evicted first.
            connection.execute(
                "INSERT OR REPLACE INTO entry (key, region, dead_at, value) VALUES (?, ?, ?, ?)",
                (key, region, dead_at, value),
            )
            connection.execute("COMMIT")
            self._locked_since = None
            return True

        if time.monotonic() < self._pause_until or len(value) > self._limit_pages * _PAGE_BYTES // 4:
            return False
        return self._run(lambda connection: _with_room(connection, write), False)

    def remove(self, condition: str, *values: object) -> bool:
        """Remove the entries that meet an SQL condition; False: they may still be there."""
        sql = f"DELETE FROM entry WHERE {condition}"  # noqa: S608 - written in this package alone

        def delete(connection: sqlite3.Connection) -> bool:
            connection.execute(sql, values)
            return True

        return self._run(delete, False)

    def counts(self, now: float) -> Mapping[str, int]:
        """How many entries each region has that have not ended."""
        sql = "SELECT region, count(*) FROM entry WHERE dead_at > ? GROUP BY region"
        nothing: dict[str, int] = {}
        return self._run(lambda connection: dict(connection.execute(sql, (now,)).fetchall()), nothing)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop()[1].close()

    def after_fork(self) -> None:
        # SQLite forbids the child even to close what the parent opened.
        self._inherited += self._idle
        self._idle = []

    def _run(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        if time.monotonic() < self._retry_at:
            return otherwise
        number = self._number()
        try:
            connection = self._connection(number)
        except (sqlite3.Error, OSError) as error:
            self._failed(number, error)
            return otherwise
        try:
            result = work(connection)
        except sqlite3.Error as error:
            connection.close()
            self._failed(number, error)
            return otherwise
        self._trouble.off()
        self._idle.append((number, connection))
        return result

    def _connection(self, number: int) -> sqlite3.Connection:
        while True:
            try:
                opened_for, connection = self._idle.pop()
            except IndexError:
                return self._opened(number)
            if opened_for == number:
                return connection
            connection.close()

    def _opened(self, number: int) -> sqlite3.Connection:
        path = self._path(number)
        if not path.exists():
            self._create(path)
            self._remove_files_below(number)
        connection = _connect(path)
        try:
            for pragma in (
                "synchronous = OFF",
                f"journal_size_limit = {_WAL_BYTES}",
                f"max_page_count = {self._limit_pages}",
            ):
                connection.execute(f"PRAGMA {pragma}").fetchall()
        except BaseException:
            connection.close()
            raise
        return connection

    def _create(self, path: Path) -> None:
        """Make the file aside and put it there whole: who changes the journal's mode wants to be alone."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.{uuid7()}")
        aside.touch(mode=0o600)
        try:
            connection = _connect(aside)
            try:
                for statement in (f"PRAGMA page_size = {_PAGE_BYTES}", "PRAGMA journal_mode = WAL", _SCHEMA):
                    connection.execute(statement).fetchall()
            finally:
                connection.close()
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(aside)
        finally:
            aside.unlink()

    def _failed(self, number: int, error: Exception) -> None:
        """Wait a little for a lock; begin a new file for anything else."""
        now = time.monotonic()
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY:
            self._pause_until = now + _PAUSE_SECONDS
            if self._locked_since is None:
                self._locked_since = now
            if now - self._locked_since < _LOCKED_SECONDS:
                return
        self._locked_since = None
        self._pause_until = 0.0
        self._trouble.on(error)
        if self._number() == number:  # else another process has done it
            new = self._advance()
            self._remove_files_below(new)
            with contextlib.suppress(sqlite3.Error, OSError):
                self._opened(new).close()
                return
            self._retry_at = now + _RETRY_SECONDS

    def _path(self, number: int) -> Path:
        return self._folder / f"values-{number}.sqlite3"

    def _remove_files_below(self, number: int) -> None:
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                match = _NAME.fullmatch(path.name)
                if match is not None and int(match[1]) < number:
                    with contextlib.suppress(OSError):
                        path.unlink()


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _with_room(connection: sqlite3.Connection, write: Callable[[sqlite3.Connection], T]) -> T:
    """Write, once more after making room when the file has its full size."""
    try:
        return write(connection)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.execute("DELETE FROM entry WHERE dead_at <= ?", (time.time(),))
    low, high = connection.execute("SELECT min(rowid), max(rowid) FROM entry").fetchone()
    if low is not None:
        connection.execute("DELETE FROM entry WHERE rowid <= ?", (low + (high - low) // _EVICTED_SHARE,))
    return write(connection)
