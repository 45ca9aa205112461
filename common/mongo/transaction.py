"""What a verb of a store does within its transaction, or a reader at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError, WriteError

from common.mongo.collections import Collection
from common.mongo.failures import DUPLICATE_KEY, Conflict
from common.mongo.values import Document

IDS_AT_ONCE = 100
"""In one condition: each statement stays far below the time limit of a statement."""
WRITES_AT_ONCE = 100
"""In one command, for the same reason."""

Filter = Mapping[str, Any]
Sort = Sequence[tuple[str, int]]
Update = tuple[Filter, Any]


class Transaction:
    """Statements that see one moment, and are committed together or not at all. Without a `session`: single
    reads of what a majority of the servers has.

    `noted` is for what a verb leaves to whoever committed it.
    """

    __slots__ = ("_database", "_session", "noted")

    def __init__(self, database: Database[Document], session: ClientSession | None = None) -> None:
        self._database, self._session = database, session
        self.noted: dict[str, Any] = {}

    def one(
        self, collection: Collection, condition: Filter, fields: Sequence[str] | None = None
    ) -> Document | None:
        """A document that fits, with `fields` alone when they are given."""
        return self._database[collection.name].find_one(condition, fields, session=self._session)

    def find(
        self,
        collection: Collection,
        condition: Filter,
        *,
        sort: Sort | None = None,
        limit: int = 0,
        fields: Sequence[str] | None = None,
        hint: str | None = None,
    ) -> list[Document]:
        """Those that fit; `hint` is the index to find them by, where that is not left to the server."""
        found = self._database[collection.name].find(
            condition, fields, session=self._session, limit=limit, sort=sort, hint=hint
        )
        return list(found)

    def with_ids(
        self, collection: Collection, ids: Iterable[Any], fields: Sequence[str] | None = None
    ) -> list[Document]:
        """Those that have one of the `ids`; asked for in parts, as there may be thousands."""
        listed = sorted(set(ids))
        parts = (listed[start : start + IDS_AT_ONCE] for start in range(0, len(listed), IDS_AT_ONCE))
        return [
            each for part in parts for each in self.find(collection, {"_id": {"$in": part}}, fields=fields)
        ]

    def aggregate(self, collection: Collection, stages: Sequence[Mapping[str, Any]]) -> list[Document]:
        """What comes out of the pipeline."""
        return list(self._database[collection.name].aggregate(list(stages), session=self._session))

    def count(
        self, collection: Collection, condition: Filter, *, limit: int = 0, hint: str | None = None
    ) -> int:
        """How many fit, counted up to `limit` when there is one; `hint`: see `find`."""
        options: dict[str, Any] = {"limit": limit} if limit else {}
        if hint is not None:
            options["hint"] = hint
        return self._database[collection.name].count_documents(condition, session=self._session, **options)

    def insert(self, collection: Collection, documents: Iterable[Document]) -> None:
        """Write new ones. Raises DuplicateKeyError, which ends the transaction."""
        made = list(documents)
        if made:
            with _first_error():
                self._database[collection.name].insert_many(made, session=self._session)

    def insert_or_lose(self, collection: Collection, documents: Iterable[Document]) -> None:
        """Write new ones, none of which was there at this transaction's moment: where somebody else wrote one
        meanwhile, this transaction has lost, and is run again.
        """
        try:
            self.insert(collection, documents)
        except DuplicateKeyError as error:
            raise Conflict(collection.name) from error

    def insert_new(self, collection: Collection, document: Document) -> bool:
        """Write it unless one of its `_id` is there; whether it was written."""
        if self.one(collection, {"_id": document["_id"]}, ["_id"]) is not None:
            return False
        self.insert_or_lose(collection, [document])
        return True

    def update(self, collection: Collection, condition: Filter, change: Any) -> int:
        """Change one that fits; how many were found, 0 or 1. A guard in `condition` decides and changes in
        one step.
        """
        done = self._database[collection.name].update_one(condition, change, session=self._session)
        return done.matched_count

    def update_all(self, collection: Collection, condition: Filter, change: Any) -> int:
        """Change all that fit; how many were found."""
        done = self._database[collection.name].update_many(condition, change, session=self._session)
        return done.matched_count

    def update_each(self, collection: Collection, updates: Iterable[Update], *, upsert: bool = False) -> int:
        """`update` for several conditions and changes, in their order, sent together; how many were found.
        With `upsert`, what is not found is made of the condition and the change.
        """
        requests = [UpdateOne(condition, change, upsert=upsert) for condition, change in updates]
        found = 0
        for start in range(0, len(requests), WRITES_AT_ONCE):
            part = requests[start : start + WRITES_AT_ONCE]
            with _first_error():
                done = self._database[collection.name].bulk_write(part, session=self._session)
            found += done.matched_count
        return found

    def put_each(self, collection: Collection, documents: Iterable[Document]) -> None:
        """Write each, new or in the place of the one that has its `_id`."""
        requests = [
            UpdateOne({"_id": document["_id"]}, {"$set": _without_id(document)}, upsert=True)
            for document in documents
        ]
        if requests:
            with _first_error():
                self._database[collection.name].bulk_write(requests, session=self._session)

    def replace(self, collection: Collection, condition: Filter, document: Document) -> int:
        """Put `document` in the place of the one that fits; how many were found, 0 or 1."""
        done = self._database[collection.name].replace_one(condition, document, session=self._session)
        return done.matched_count

    def delete(self, collection: Collection, condition: Filter) -> int:
        """Delete all that fit; how many there were."""
        done = self._database[collection.name].delete_many(condition, session=self._session)
        return done.deleted_count


@contextmanager
def _first_error() -> Iterator[None]:
    """What is wrong with one of many is raised as if it had been sent alone."""
    try:
        yield
    except BulkWriteError as error:
        details: Any = error.details
        first = next(iter(details.get("writeErrors") or ()), None)
        if first is None:
            raise
        kind = DuplicateKeyError if first.get("code") == DUPLICATE_KEY else WriteError
        raise kind(str(first.get("errmsg")), first.get("code"), first) from error


def _without_id(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "_id"}
