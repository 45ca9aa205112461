"""Databases to measure on, each fresh and durable: SQLite files, or on a server of our own, MariaDB or
SecantusDB, which speaks MongoDB's wire protocol.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

import pymysql

from benchmarks import mongodb
from tests.servers.mariadb import MariaDB
from tests.servers.process import eventually
from tests.servers.secantus import Secantus
from ticketing_service.storage.opening import migrate
from ticketing_service.storage.sql import schema

SQLITE, MARIADB, MONGODB = "SQLite", "MariaDB", "MongoDB's wire protocol"
"""The last one is no MongoDB: what is measured is SecantusDB, and `version` says so."""

PLACES = {"sqlite": "?", "mysql": "%s"}
FEW_PAGES = 50


@dataclass(frozen=True, slots=True)
class Databases:
    """Makes databases of one kind in a folder, or on a server."""

    name: str
    folder: Path
    server: MariaDB | None
    mongodb: Secantus | None = None

    def new(self) -> str:
        """The URL of a new database with the service's tables."""
        server = self.server or self.mongodb
        if server is not None:
            url = server.new_database("bench")
        else:
            url = f"sqlite:///{self.folder}/{token_hex(4)}.sqlite3"
        migrate(url)
        return url

    def copy(self, url: str) -> str:
        """The URL of a new database with the same rows."""
        target = self.new()
        if self.mongodb is not None:
            mongodb.copy(url, target)
            return target
        with plain_connection(target) as connection:
            cursor = connection.cursor()
            if self.server is None:
                cursor.execute("ATTACH ? AS source", (url.removeprefix("sqlite:///"),))
            source = "source" if self.server is None else _database(url)
            for table in schema.metadata.sorted_tables:
                cursor.execute(f"INSERT INTO {table.name} SELECT * FROM {source}.{table.name}")
            connection.commit()
        return target

    def settle(self, url: str) -> None:
        """What filling a database has left to be written is written, before anything is measured."""
        if self.server is not None:
            with self.server.connect() as connection, connection.cursor() as cursor:
                cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct = 0")
                eventually(
                    lambda: _dirty_pages(cursor) < FEW_PAGES, seconds=300, what="writing what was filled in"
                )
                cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT")
        elif self.mongodb is None:
            with plain_connection(url) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        os.sync()

    def version(self) -> str:
        """Of the server, or of the library."""
        if self.mongodb is not None:
            return f"(SecantusDB {version('secantusdb')}, no MongoDB)"
        if self.server is None:
            return sqlite3.sqlite_version
        with self.server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            return str((cursor.fetchone() or ("",))[0])


@contextmanager
def opened(name: str, folder: Path, buffer_pool: str) -> Iterator[Databases]:
    """Databases of a kind, until the block ends."""
    server = MariaDB(buffer_pool=buffer_pool) if name == MARIADB else None
    wire = Secantus(patient=True) if name == MONGODB else None
    with server or wire or nullcontext():
        yield Databases(name, folder, server, wire)


@contextmanager
def plain_connection(url: str) -> Iterator[Any]:
    """A driver's own connection, for filling and for checking; not for measuring."""
    connection: Any
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)
    else:
        parts = urlsplit(url)
        connection = pymysql.connect(
            host=parts.hostname or "",
            port=parts.port or 3306,
            user=parts.username,
            password=parts.password or "",
            database=_database(url),
            charset="utf8mb4",
        )
    try:
        yield connection
    finally:
        connection.close()


def rows(url: str, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """What a query finds; `?` marks its parameters."""
    with plain_connection(url) as connection:
        cursor = connection.cursor()
        place = PLACES["sqlite" if url.startswith("sqlite") else "mysql"]
        cursor.execute(sql.replace("?", place), tuple(parameters))
        return [tuple(row) for row in cursor.fetchall()]


def snapshot(url: str, *queries: str) -> list[list[tuple[Any, ...]]]:
    """What several queries find at one moment, however busy the database is."""
    with plain_connection(url) as connection:
        cursor = connection.cursor()
        cursor.execute("BEGIN" if url.startswith("sqlite") else "START TRANSACTION WITH CONSISTENT SNAPSHOT")
        found = []
        for query in queries:
            cursor.execute(query)
            found.append([tuple(row) for row in cursor.fetchall()])
        connection.rollback()
        return found


def _dirty_pages(cursor: Any) -> int:
    cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")
    return int(cursor.fetchone()[1])


def _database(url: str) -> str:
    return urlsplit(url).path.lstrip("/")
