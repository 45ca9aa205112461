"""What is in a store, as one hash a table: equal hashes say that nothing changed."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient, monitoring
from sqlalchemy import MetaData, select

from common.database.engine import Database
from common.database.kinds import kind_of
from ticketing_service.storage.sql import schema


class _Writes(monitoring.CommandListener):
    """Counts what this process, in which the services run here, sends to MongoDB beside reads."""

    READS = frozenset({"abortTransaction", "aggregate", "find", "getMore", "hello", "listCollections"})

    def __init__(self) -> None:
        self.number = 0

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name not in self.READS:
            self.number += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


_writes = _Writes()
monitoring.register(_writes)


class Watch:
    """Looks at a database beside the service."""

    def __init__(self, url: str, metadata: MetaData = schema.metadata) -> None:
        self._mongo = Documents(url) if kind_of(url) == "mongodb" else None
        if self._mongo is not None:
            return
        self._tables = metadata.sorted_tables
        self._database = Database(url, threads=1)
        path = url.removeprefix("sqlite:///")
        self._file = None if path == url else sqlite3.connect(path, isolation_level=None)
        self._known: tuple[int, dict[str, str]] | None = None

    def digest(self) -> dict[str, str]:
        """Table -> hash of its rows. SQLite says whether anybody has committed since the last look."""
        if self._mongo is not None:
            return self._mongo.digest()
        if self._file is None:
            return self._checksums()
        version = int(self._file.execute("PRAGMA data_version").fetchone()[0])
        if self._known is not None and self._known[0] == version:
            return self._known[1]
        with self._database.read() as connection:
            found = {
                table.name: _hash(sorted(repr(tuple(row)) for row in connection.execute(select(table))))
                for table in self._tables
            }
        self._known = (version, found)
        return found

    def _checksums(self) -> dict[str, str]:
        """The server's own, over the rows: one statement instead of reading all tables."""
        names = ", ".join(table.name for table in self._tables)
        with self._database.read() as connection:
            found = connection.exec_driver_sql(f"CHECKSUM TABLE {names}").all()
        assert all(checksum is not None for _, checksum in found)
        return {str(name): str(checksum) for name, checksum in found}

    @contextmanager
    def unchanged(self, why: object) -> Iterator[None]:
        """Nothing in the store may change in here."""
        before = self.digest()
        yield
        after = self.digest()
        changed = [name for name in after if after[name] != before[name]]
        assert not changed, f"{why} changed {changed}"

    def close(self) -> None:
        if self._mongo is not None:
            self._mongo.close()
            return
        self._database.close()
        if self._file is not None:
            self._file.close()


class Documents:
    """The same of a MongoDB database."""

    def __init__(self, url: str) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(url, uuidRepresentation="standard")
        self._known: tuple[object, dict[str, str]] | None = None

    def digest(self) -> dict[str, str]:
        """Collection -> hash of its documents; read anew when anything was written. A server would tell,
        too, but SecantusDB's last write moves with every question.
        """
        written = _writes.number
        if self._known is not None and self._known[0] == written:
            return self._known[1]
        database = self._client.get_default_database()
        found = {
            name: _hash(sorted(repr(each) for each in database[name].find()))
            for name in sorted(database.list_collection_names())
        }
        self._known = (written, found)
        return found

    def close(self) -> None:
        self._client.close()


def _hash(rows: list[str]) -> str:
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
