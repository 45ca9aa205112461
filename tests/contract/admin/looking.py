"""What no port of the admin service's store shows, looked at on each database."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from admin_service.domain.clusters import EVERYTHING, CellKey, Tally
from admin_service.domain.media import Use
from admin_service.storage.mongo import media_uses as mongo_uses
from admin_service.storage.mongo import poi_collections
from admin_service.storage.sql import media_uses as sql_uses
from admin_service.storage.sql import poi_tables
from common.database.engine import Database
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction


def is_mongodb(url: str) -> bool:
    """Whether the store is on MongoDB, and not on an SQL database."""
    return url.startswith("mongodb://")


def kept_counts(url: str) -> dict[CellKey, Tally]:
    """What the maps are made of."""
    if is_mongodb(url):
        found = _documents(url, poi_collections.poi_cells, {})
        return {
            CellKey(each["level"], category, each["cell"]): Tally(
                sums["count"], sums["latitudes"], sums["longitudes"]
            )
            for each in found
            for category, sums in {EVERYTHING: each, **each["categories"]}.items()
            if sums["count"] != 0
        }
    cells = poi_tables.poi_cells
    rows = _rows(url, select(cells).where(cells.c.count != 0))
    return {CellKey(*row[:3]): Tally(*row[3:]) for row in rows}


def kept_words(url: str, poi_id: UUID) -> tuple[set[str], int]:
    """The words by which a POI is found, and how many there are of all POIs."""
    if is_mongodb(url):
        found = _documents(url, poi_collections.pois, {})
        (mine,) = (each["words"] for each in found if each["_id"] == poi_id)
        return set(mine), sum(len(each["words"]) for each in found)
    words = poi_tables.poi_words
    mine = {row.word for row in _rows(url, select(words.c.word).where(words.c.poi_id == poi_id))}
    (number,) = _rows(url, select(func.count()).select_from(words))
    return mine, number[0]


def use(url: str, media: Collection[UUID], user: Use) -> None:
    """Let something show `media`, as the store of what shows them does."""
    if is_mongodb(url):
        opened = MongoDatabase(url, threads=1)

        def in_transaction(tx: Transaction) -> None:
            mongo_uses.set_uses(tx, user, media, "/images/0")

        try:
            opened.write(in_transaction)
        finally:
            opened.close()
        return
    database = Database(url, threads=1)

    def verb(connection: Connection) -> None:
        sql_uses.set_uses(connection, user, media, "/images/0")

    try:
        database.write(verb)
    finally:
        database.close()


def _rows(url: str, statement: Any) -> list[Any]:
    database = Database(url, threads=1)
    with database.read() as connection:
        found = list(connection.execute(statement))
    database.close()
    return found


def _documents(url: str, collection: Any, condition: dict[str, Any]) -> list[dict[str, Any]]:
    database = MongoDatabase(url, threads=1)
    with database.read() as tx:
        found = tx.find(collection, condition)
    database.close()
    return found
