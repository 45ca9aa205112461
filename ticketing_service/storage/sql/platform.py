"""The last copy of the platform's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from common.database.engine import Database
from common.database.inserting import insert_new
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.writing import Writer

_platform = schema.platform
_ONLY = 1


class SqlPlatform:
    """The `PlatformStore` on an SQL database."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database, self._write = database, writer

    def kept(self) -> Mapping[str, Any] | None:
        """See PlatformStore."""
        with self._database.read() as connection:
            document: Mapping[str, Any] | None = connection.scalar(select(_platform.c.document))
        return document

    def keep(self, document: Mapping[str, Any], now: datetime) -> None:
        """See PlatformStore."""
        values = {"document": dict(document), "kept_at": now}

        def verb(connection: Connection) -> None:
            made = connection.execute(insert_new(connection, _platform).values(id=_ONLY, **values))
            if made.rowcount == 0:
                connection.execute(update(_platform).where(_platform.c.id == _ONLY).values(**values))

        self._write(verb)
