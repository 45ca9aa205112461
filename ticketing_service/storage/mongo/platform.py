"""The last copy of the platform's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import ms
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.writing import Writer

_ONLY = 1


class MongoPlatform:
    """The `PlatformStore` on MongoDB. The document is kept as text: its members' names may be any."""

    def __init__(self, database: MongoDatabase, writer: Writer) -> None:
        self._database, self._write = database, writer

    def kept(self) -> Mapping[str, Any] | None:
        """See PlatformStore."""
        with self._database.read() as reading:
            found = reading.one(schema.platform, {"_id": _ONLY})
        document: Mapping[str, Any] | None = None if found is None else orjson.loads(found["document"])
        return document

    def keep(self, document: Mapping[str, Any], now: datetime) -> None:
        """See PlatformStore."""
        kept = {"_id": _ONLY, "document": orjson.dumps(dict(document)).decode(), "kept_at": ms(now)}

        def verb(tx: Transaction) -> None:
            if not tx.insert_new(schema.platform, kept):
                tx.replace(schema.platform, {"_id": _ONLY}, kept)

        self._write(verb, None, [schema.platform.name])
