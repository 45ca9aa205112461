"""Copies of SQLite databases, by SQLite's own online backup."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from common.backups.database import REVISION_TABLE, Contents, Copied, prefixes
from common.backups.digests import TableFacts, digest_of
from common.backups.faults import BackupFault

BESIDE = ("-wal", "-shm", "-journal", ".turn", ".migrating")
"""Files that belong to a database and lie beside it."""

BUSY_SECONDS = 30.0
_HEADER_BYTES, _LARGEST_PAGE = 100, 65_536


class SqliteCopying:
    """See DatabaseCopying. `url`: `sqlite:///path`."""

    kind = "sqlite"
    ending = "sqlite3"

    def __init__(self, url: str, services: Sequence[str]) -> None:
        self._path = Path(make_url(url).database or "")
        self._services = tuple(services)

    def save(self, target: Path) -> Copied:
        """See DatabaseCopying."""
        if not self._path.exists():
            raise BackupFault(f"there is no database {self._path}")
        try:
            with closing(_opened(self._path)) as source, closing(_opened(target)) as copy:
                copy.execute("PRAGMA synchronous=OFF")
                # All pages in one step: one moment. In WAL mode that holds up nobody who writes; in several
                # steps it would begin anew after each sale.
                source.backup(copy, pages=-1)
                # so that the copy is one file, whoever opens it
                copy.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise BackupFault(f"{self._path} cannot be copied: {error}") from error
        return Copied(server=f"SQLite {sqlite3.sqlite_version}")

    def contents_of(self, copy: Path) -> Contents:
        """See DatabaseCopying. Looks at the structure of the file as well."""
        _must_be_whole(copy)
        return self._contents_of(copy)

    def _contents_of(self, copy: Path) -> Contents:
        try:
            with closing(_opened(copy)) as connection:
                _must_be_sound(connection, copy)
                tables = {name: _facts(connection, name) for name in self._tables(connection)}
                return Contents(tables=tables, revisions=self._revisions(connection, tables))
        except sqlite3.Error as error:
            raise BackupFault(f"{copy} cannot be read: {error}") from error

    def is_empty(self) -> bool:
        """See DatabaseCopying."""
        if not self._path.exists():
            return True
        try:
            with closing(_opened(self._path)) as connection:
                return not self._tables(connection)
        except sqlite3.Error as error:
            raise BackupFault(f"{self._path} cannot be read: {error}") from error

    def clear(self, aside: Path) -> None:
        """See DatabaseCopying."""
        for ending in ("", *BESIDE):
            path = self._path.with_name(self._path.name + ending)
            if path.exists():
                aside.mkdir(parents=True, exist_ok=True, mode=0o700)
                path.rename(aside / path.name)

    def load(self, copy: Path) -> None:
        """See DatabaseCopying."""
        part = self._path.with_name(self._path.name + ".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(copy, part)
        part.chmod(0o600)
        for ending in BESIDE:
            # of an empty database that was opened here
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
        part.replace(self._path)

    def contents(self) -> Contents:
        """See DatabaseCopying."""
        return self._contents_of(self._path)

    def _tables(self, connection: sqlite3.Connection) -> list[str]:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return [name for (name,) in rows if name.startswith(prefixes(self._services))]

    def _revisions(self, connection: sqlite3.Connection, tables: dict[str, TableFacts]) -> dict[str, str]:
        found = {}
        for service, prefix in zip(self._services, prefixes(self._services), strict=True):
            if (table := prefix + REVISION_TABLE) in tables:
                row = connection.execute(f"SELECT version_num FROM {_quoted(table)}").fetchone()  # noqa: S608
                found[service] = "" if row is None else str(row[0])
        return found


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)


def _must_be_whole(path: Path) -> None:
    """SQLite reads zeros where its last page is cut off, and may find nothing wrong with them.

    The page size and the number of pages: bytes 16 and 28 of the header (https://www.sqlite.org/fileformat.html).
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
            size = file.seek(0, os.SEEK_END)
    except OSError as error:
        raise BackupFault(f"{path} cannot be read: {error}") from error
    if len(header) < _HEADER_BYTES:
        raise BackupFault(f"{path} ends before its end: it is no whole copy")
    page_bytes, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
    if size != (_LARGEST_PAGE if page_bytes == 1 else page_bytes) * pages:
        raise BackupFault(f"{path} has {size} bytes and says that it has {pages} pages of {page_bytes}")


def _must_be_sound(connection: sqlite3.Connection, path: Path) -> None:
    said = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    if said != ["ok"]:
        raise BackupFault(f"{path} is damaged: {'; '.join(said)}"[:500])


def _facts(connection: sqlite3.Connection, table: str) -> TableFacts:
    """`quote` writes each value as SQL does, and tells a text from a number from bytes."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")]
    line = " || ',' || ".join(f"quote({_quoted(column)})" for column in columns)

    def rows() -> Iterator[bytes]:
        for (text,) in connection.execute(f"SELECT {line} FROM {_quoted(table)}"):  # noqa: S608 - our tables' names
            yield text.encode()

    return digest_of(rows())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
