"""How each entity that is moved lies in the collections."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson

from admin_service.storage.mongo import (
    config_collections,
    media_collections,
    people_collections,
    poi_collections,
    schema,
)
from admin_service.storage.mongo.store import COLLECTIONS, STEPS
from admin_service.storage.mongo.transfer_pois import (
    cell_back,
    cell_out,
    merge_back,
    merge_out,
    poi_back,
    poi_out,
    row_back,
    row_out,
)
from common.mongo import migrations
from common.mongo.database import MongoDatabase
from common.mongo.values import Document
from common.transfer.mongo import MongoSide
from common.transfer.mongo_documents import Kept, json_text, texts, uuids
from common.transfer.port import Side

people, media, pois, config = people_collections, media_collections, poi_collections, config_collections


def open_side(url: str, *, writable: bool) -> Side:
    """The database as one that is moved from or to."""
    return MongoSide(url, LAYOUT)


def is_current(url: str) -> bool:
    """Whether the database has the shape that this code expects. Raises `StoreUnavailable`."""
    database = MongoDatabase(url, threads=1)
    try:
        database.require_replica_set()
        return migrations.current(database, COLLECTIONS) == STEPS[-1].version
    finally:
        database.close()


def _without_name_key(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "name_key"}


def _user_out(document: Document) -> Document:
    return {**_without_name_key(document), "poi_ids": texts(document["poi_ids"])}


def _user_back(document: Document) -> Document:
    return {**document, "poi_ids": uuids(document["poi_ids"]), "name_key": document["name"].lower()}


def _key_out(document: Document) -> Document:
    return {**document, "poi_ids": texts(document["poi_ids"])}


def _key_back(document: Document) -> Document:
    return {**document, "poi_ids": uuids(document["poi_ids"])}


def _medium_back(document: Document) -> Document:
    return {**document, "name_key": document["file_name"].lower()}


def _revision_out(document: Document) -> Document:
    return {**document, "values": {each["key"]: each["value"] for each in document["values"]}}


def _revision_back(document: Document) -> Document:
    values = [{"key": key, "value": value} for key, value in document["values"].items()]
    return {**document, "values": values}


def _import_out(document: Document) -> Document:
    job = {name: value for name, value in document.items() if name != "chunks"}
    return {**job, "actor": {**document["actor"], "places": texts(document["actor"]["places"])}}


def _import_back(document: Document) -> Document:
    actor = {**document["actor"], "places": uuids(document["actor"]["places"])}
    # they are counted only so that two who write them meet
    return {**document, "actor": actor, "chunks": 0}


def _parsed(*names: str) -> Callable[[Document], Document]:
    """Members that are kept as JSON texts."""
    return lambda document: {**document, **{name: orjson.loads(document[name]) for name in names}}


def _written(*names: str) -> Callable[[Document], Document]:
    return lambda document: {**document, **{name: json_text(document[name]) for name in names}}


LAYOUT: Mapping[str, Kept] = {
    "users": Kept(collection=people.users, out=_user_out, back=_user_back),
    "sessions": Kept(collection=people.sessions),
    "refresh_tokens": Kept(collection=people.refresh_tokens, members=("hash",)),
    "sign_in_attempts": Kept(collection=people.sign_in_attempts, members=("email_hash",)),
    "links": Kept(collection=people.links, members=("hash",)),
    "api_keys": Kept(collection=people.api_keys, out=_key_out, back=_key_back),
    "standing": Kept(collection=people.standing),
    "config_revisions": Kept(
        collection=config.revisions, members=("number",), out=_revision_out, back=_revision_back
    ),
    "system_mode": Kept(collection=config.system_mode),
    "audit": Kept(
        collection=schema.audit,
        members=("number",),
        out=_parsed("before", "after"),
        back=_written("before", "after"),
    ),
    "audit_head": Kept(collection=schema.audit_head),
    "media": Kept(collection=media.media, out=_without_name_key, back=_medium_back),
    "media_uses": Kept(
        collection=media.media_uses,
        key=("media_id", "kind", "object_id"),
        members=("media_id", "kind", "object_id"),
    ),
    "media_taken": Kept(collection=media.media_taken),
    "pois": Kept(collection=pois.pois, out=poi_out, back=poi_back),
    "poi_history": Kept(
        collection=pois.poi_history, key=("poi_id", "version"), members=("poi_id", "version")
    ),
    "poi_cells": Kept(
        collection=pois.poi_cells,
        key=("level", "cell"),
        members=("level", "cell"),
        out=cell_out,
        back=cell_back,
    ),
    "poi_merges": Kept(collection=pois.poi_merges, out=merge_out, back=merge_back),
    "poi_resemblances": Kept(
        collection=pois.poi_resemblances, key=("one", "other"), members=("one", "other")
    ),
    "imports": Kept(collection=pois.imports, out=_import_out, back=_import_back),
    "import_chunks": Kept(
        collection=pois.import_chunks,
        key=("import_id", "position"),
        members=("import_id", "position"),
        unstamped=("content",),
    ),
    "import_rows": Kept(
        collection=pois.import_rows,
        key=("import_id", "number"),
        members=("import_id", "number"),
        out=row_out,
        back=row_back,
    ),
    "outbox": Kept(collection=schema.outbox, out=_parsed("payload"), back=_written("payload")),
    "idempotency": Kept(collection=schema.idempotency, members=("scope", "key"), unstamped=("body",)),
}
