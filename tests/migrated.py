"""Databases with a service's tables, without going through all migrations for each test."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, MetaData, delete

from common.database.engine import Database

Migrate = Callable[[str], object]
SQLITE = "sqlite:///"


def with_tables(url: str, migrate: Migrate) -> None:
    """Bring the database to the present schema: a new file of SQLite is a copy of one that was migrated."""
    path = Path(url.removeprefix(SQLITE))
    if url.startswith(SQLITE) and not path.exists():
        path.write_bytes(_file(migrate))
    else:
        migrate(url)


def emptied(url: str, tables: MetaData) -> str:
    """`url`, a migrated database, without any row: migrating takes longer than most tests."""
    database = Database(url, threads=1)

    def verb(connection: Connection) -> None:
        for table in reversed(tables.sorted_tables):
            connection.execute(delete(table))

    database.write(verb)
    database.close()
    return url


@cache
def _file(migrate: Migrate) -> bytes:
    """A migrated file, made once a process."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        migrate(f"{SQLITE}{path}")
        connection = sqlite3.connect(path)
        try:
            # nothing may be left in the log beside it
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
        return path.read_bytes()
