"""How each entity that is moved lies in the tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from admin_service.domain.clusters import EVERYTHING
from admin_service.domain.poi import SHOWN
from admin_service.storage.sql import (
    config_tables,
    media_tables,
    people_tables,
    poi_tables,
    schema,
)
from common.database import migrations
from common.database.engine import Database
from common.transfer.documents import Document
from common.transfer.port import Side
from common.transfer.sql import SqlSide
from common.transfer.sql_rows import Rows

_MIGRATIONS = Path(__file__).with_name("migrations")
_SHOWN = {status.value for status in SHOWN}


def open_side(url: str, *, writable: bool) -> Side:
    """The database as one that is moved from or to."""
    return SqlSide(url, LAYOUT, writable=writable)


def is_current(url: str) -> bool:
    """Whether the database has the shape that this code expects. Raises `StoreUnavailable`."""
    database = Database(url, threads=1)
    try:
        return migrations.is_current(database, _MIGRATIONS, schema.VERSION_TABLE)
    finally:
        database.close()


def _word(root: Document, parent: Document, item: Any, position: int) -> Mapping[str, Any]:
    return {"poi_id": root["id"], "shown": root["status"] in _SHOWN, "sort_name": root["sort_name"]}


def _of_everything(root: Document, parent: Document, item: Any, position: int) -> Mapping[str, Any]:
    return {"category": EVERYTHING}


def _of_cell(root: Document, parent: Document, item: Any, position: int) -> Mapping[str, Any]:
    return {"level": root["level"], "cell": root["cell"]}


POIS = Rows(
    table=poi_tables.pois,
    parts=(
        Rows(
            table=poi_tables.poi_words,
            field="words",
            key=("poi_id",),
            order=("word",),
            only="word",
            fill=_word,
        ),
    ),
)

CELLS = Rows(
    table=poi_tables.poi_cells,
    key=("level", "cell"),
    identity=("level", "cell"),
    without=("category",),
    fill=_of_everything,
    where=lambda table: table.c.category == EVERYTHING,
    parts=(
        Rows(
            table=poi_tables.poi_cells,
            field="categories",
            key=("level", "cell"),
            order=("category",),
            without=("level", "cell"),
            fill=_of_cell,
            where=lambda table: table.c.category != EVERYTHING,
        ),
    ),
)

LAYOUT: Mapping[str, Rows] = {
    "users": Rows(table=people_tables.users),
    "sessions": Rows(table=people_tables.sessions),
    "refresh_tokens": Rows(table=people_tables.refresh_tokens, key=("hash",)),
    "sign_in_attempts": Rows(table=people_tables.sign_in_attempts, key=("email_hash",)),
    "links": Rows(table=people_tables.links, key=("hash",)),
    "api_keys": Rows(table=people_tables.api_keys),
    "standing": Rows(table=people_tables.standing),
    "config_revisions": Rows(table=config_tables.revisions, key=("number",)),
    "system_mode": Rows(table=config_tables.system_mode),
    "audit": Rows(table=schema.audit, key=("number",)),
    "audit_head": Rows(table=schema.audit_head),
    "media": Rows(table=media_tables.media),
    "media_uses": Rows(table=media_tables.media_uses, key=("media_id", "kind", "object_id")),
    "media_taken": Rows(table=media_tables.media_taken),
    "pois": POIS,
    "poi_history": Rows(table=poi_tables.poi_history, key=("poi_id", "version")),
    "poi_cells": CELLS,
    "poi_merges": Rows(table=poi_tables.poi_merges),
    "poi_resemblances": Rows(table=poi_tables.poi_resemblances, key=("one", "other")),
    "imports": Rows(table=poi_tables.imports),
    "import_chunks": Rows(
        table=poi_tables.import_chunks, key=("import_id", "position"), unstamped=("content",)
    ),
    "import_rows": Rows(table=poi_tables.import_rows, key=("import_id", "number")),
    "outbox": Rows(table=schema.outbox),
    "idempotency": Rows(table=schema.idempotency, key=("scope", "key"), unstamped=("body",)),
}
