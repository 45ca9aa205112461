"""Bringing a database to the shape that the code expects, by one process at a time.

The collections are declared in code, and the last thing that any migration does is to bring the server to
that: what is missing is made, validators are set anew, indexes that nobody declares any more go. A step is
for what that cannot do: documents that must become others. All of it can be repeated; what was cut off is
begun again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pymongo
from pymongo.database import Database
from pymongo.errors import CollectionInvalid, DuplicateKeyError, OperationFailure, PyMongoError

from common.database.unavailable import StoreUnavailable
from common.mongo.collections import Collection, Collections
from common.mongo.database import DURABLE, MongoDatabase
from common.mongo.failures import is_unavailable, translated
from common.mongo.values import Document

LOCK_SECONDS = 60.0
POLL_SECONDS = 0.02
STEP_SECONDS = 600.0
"""Changing a large collection may take longer than any statement of a request."""

SCHEMA, VERSION = "schema", "version"
"""With a service's prefix before it: the collection whose document of that id has the version."""

_NAMESPACE_EXISTS = 48
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Step:
    """What brings the database to `version`, such as `0002`. None where the declarations say all."""

    version: str
    run: Callable[[Database[Document]], None] | None = None


def upgrade(
    database: MongoDatabase,
    collections: Collections,
    steps: Sequence[Step],
    *,
    lock_seconds: float = LOCK_SECONDS,
) -> bool:
    """Run the steps that are missing; says whether there were any.

    Other processes that want the same wait for up to `lock_seconds`, and then find nothing to do.

    Raises `StoreUnavailable` when the database is not there, has no replica set, or the lock is not to be had
    in that time.
    """
    database.require_replica_set()
    if current(database, collections) == steps[-1].version:
        return False
    try:
        with pymongo.timeout(STEP_SECONDS), _alone(database, collections, lock_seconds):
            kept = current(database, collections) or ""
            missing = [step for step in steps if step.version > kept]
            if not missing:
                return False
            bare = database.bare
            for step in missing:
                if step.run is not None:
                    step.run(bare)
            for collection in collections.made:
                _shape(bare, collection)
            _schema(database, collections).update_one(
                {"_id": VERSION}, {"$set": {"version": missing[-1].version}}, upsert=True
            )
    except PyMongoError as error:
        raise translated(error) from error
    return True


def current(database: MongoDatabase, collections: Collections) -> str | None:
    """The version that the database is at; None before the first. Raises `StoreUnavailable`."""
    try:
        found = _schema(database, collections).find_one({"_id": VERSION})
    except PyMongoError as error:
        raise translated(error) from error
    return None if found is None else str(found["version"])


def differences(database: MongoDatabase, collections: Collections) -> list[str]:
    """What of the declarations the database does not have, or has otherwise."""
    kept = {each["name"]: each["options"].get("validator") for each in database.bare.list_collections()}
    found = []
    for collection in collections.made:
        if kept.get(collection.name) != collection.validator:
            found.append(f"{collection.name}: its validator")
        if _indexes(database.bare, collection.name) != _declared(collection):
            found.append(f"{collection.name}: its indexes")
    declared = {collection.name for collection in collections.made} | {_schema_name(collections)}
    return found + [f"{name}: nobody declares it" for name in sorted(set(kept) - declared)]


def _shape(bare: Database[Document], collection: Collection) -> None:
    try:
        bare.create_collection(collection.name, validator=collection.validator)
    except (CollectionInvalid, OperationFailure) as error:
        if isinstance(error, OperationFailure) and error.code != _NAMESPACE_EXISTS:
            raise
        bare.command("collMod", collection.name, validator=collection.validator)
    kept, declared = _indexes(bare, collection.name), _declared(collection)
    for name in kept:
        if kept[name] != declared.get(name):
            bare[collection.name].drop_index(name)
    for each in collection.indexes:
        if kept.get(each.name) != declared[each.name]:
            bare[collection.name].create_index(list(each.keys), **each.options)


def _indexes(bare: Database[Document], name: str) -> dict[str, Any]:
    """What each index of a collection is, but for that of `_id`."""
    kept = bare[name].index_information()
    return {
        index: (
            [(key, int(way)) for key, way in facts["key"]],
            bool(facts.get("unique", False)),
            facts.get("partialFilterExpression"),
        )
        for index, facts in kept.items()
        if index != "_id_"
    }


def _declared(collection: Collection) -> dict[str, Any]:
    return {each.name: (list(each.keys), each.unique, each.partial) for each in collection.indexes}


def _schema_name(collections: Collections) -> str:
    return collections.prefix + SCHEMA


def _schema(database: MongoDatabase, collections: Collections) -> Any:
    return database.bare.get_collection(_schema_name(collections), write_concern=DURABLE)


@contextmanager
def _alone(database: MongoDatabase, collections: Collections, seconds: float) -> Iterator[None]:
    """While no other process migrates: a document of which there is one, with a term in case that its writer
    dies."""
    schema = _schema(database, collections)
    owner = f"{os.getpid()}-{os.urandom(8).hex()}"
    deadline = time.monotonic() + seconds
    while not _taken(schema, owner):
        if time.monotonic() >= deadline:
            raise StoreUnavailable("another process migrates the database for too long")
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        try:
            schema.delete_one({"_id": _LOCK, "owner": owner})
        except PyMongoError as error:
            if not is_unavailable(error):
                raise


def _taken(schema: Any, owner: str) -> bool:
    now = time.time()
    over = {"_id": _LOCK, "until": {"$lte": now}}
    try:
        schema.update_one(over, {"$set": {"owner": owner, "until": now + STEP_SECONDS}}, upsert=True)
    except DuplicateKeyError:
        return False
    return True
