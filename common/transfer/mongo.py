"""A store on MongoDB that is moved from or to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pymongo
from bson import CodecOptions, encode
from bson.binary import UuidRepresentation
from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError, PyMongoError, WriteError

from common.mongo.collections import Collection
from common.mongo.database import DURABLE, MongoDatabase
from common.mongo.failures import is_unavailable, translated
from common.mongo.transaction import Transaction
from common.transfer.documents import Document, Entity, Key
from common.transfer.mongo_documents import Beside, Kept
from common.transfer.port import Misfit, Side

STATEMENT_SECONDS = 120
"""A batch takes longer than any statement of a request may."""

_CODEC: CodecOptions[Document] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)


class MongoSide(Side):
    """`Side` on a MongoDB database that was migrated.

    Args:
        url: as of the setting DATABASE_URL.
        layout: how each entity lies in the collections.
    """

    kind = "mongodb"

    def __init__(self, url: str, layout: Mapping[str, Kept]) -> None:
        self._database = MongoDatabase(url, threads=2)
        self._layout = layout

    def count(self, entity: Entity) -> int:
        with unhurried():
            return int(self._of(self._layout[entity.name].collection).count_documents({}))

    def boundary(self, entity: Entity, after: Key | None, size: int) -> Key | None:
        kept = self._layout[entity.name]
        with unhurried(), self._database.read() as reading:
            found = reading.find(
                kept.collection, kept.within(after, None), sort=_by(kept), limit=size, fields=kept.key
            )
        if not found:
            return None
        last = found[-1]
        if not kept.is_by_id:
            return tuple(last[name] for name in kept.key)
        identifier = last["_id"]
        if len(kept.members) == 1:
            return (identifier,)
        return tuple(identifier[name] for name in kept.members)

    def stamp(self, entity: Entity, after: Key | None, upto: Key | None) -> str:
        kept = self._layout[entity.name]
        condition = kept.within(after, upto)
        with unhurried():
            text = _mark(self._of(kept.collection).find(condition, _fields(kept.stamped, kept.unstamped)))
            if kept.beside is not None:
                beside = kept.beside
                found = self._of(beside.collection).find(
                    _linked(beside, after, upto), _fields(beside.stamped, ())
                )
                text += f" {_mark(found)}"
        return text

    def read(self, entity: Entity, after: Key | None, upto: Key | None) -> list[Document]:
        kept = self._layout[entity.name]
        condition = kept.within(after, upto)
        with unhurried():
            if kept.beside is None:
                with self._database.read() as reading:
                    found = reading.find(kept.collection, condition, sort=_by(kept))
                return [kept.neutral(each) for each in found]
            beside = kept.beside

            def reader(tx: Transaction) -> tuple[list[Document], list[Document]]:
                # a transaction is run again when it loses, so it only reads
                return (
                    tx.find(kept.collection, condition, sort=_by(kept)),
                    tx.find(beside.collection, _linked(beside, after, upto)),
                )

            found, others = self._database.at_one_moment(reader)
        return _joined(kept, beside, found, others)

    def write(
        self, entity: Entity, new: Sequence[Document], changed: Sequence[Document], gone: Sequence[Key]
    ) -> list[Misfit]:
        kept = self._layout[entity.name]
        replaced = [entity.key_of(each) for each in changed]
        with unhurried():
            if gone:
                self._bulk(kept.collection, [DeleteOne(kept.match(key)) for key in gone])
            if kept.beside is not None:
                # the one before the other: whatever it dies in between, the next look sees a difference
                self._clear(kept.beside, [*replaced, *gone])
            misfits = self._put(entity, kept, new, changed)
            if kept.beside is not None:
                unfit = {each.key for each in misfits}
                fitting = [each for each in (*new, *changed) if entity.key_of(each) not in unfit]
                misfits += self._put_beside(entity, kept.beside, fitting)
        return misfits

    def misfits(self) -> Iterator[Misfit]:
        """MongoDB holds no reference; those of the source were held to there."""
        return iter(())

    def close(self) -> None:
        self._database.close()

    def _put(
        self, entity: Entity, kept: Kept, new: Sequence[Document], changed: Sequence[Document]
    ) -> list[Misfit]:
        keys, requests = [], []
        misfits = []
        for is_new, documents in ((True, new), (False, changed)):
            for document in documents:
                key = entity.key_of(document)
                try:
                    stored = kept.stored(document)
                    encode(stored, codec_options=_CODEC)
                except (ValueError, TypeError, KeyError, OverflowError) as error:
                    misfits.append(Misfit(entity.name, key, f"no document: {type(error).__name__}"))
                    continue
                keys.append(key)
                requests.append(InsertOne(stored) if is_new else ReplaceOne(kept.match(key), stored))
        failed = self._bulk(kept.collection, requests)
        return misfits + [Misfit(entity.name, keys[place], reason) for place, reason in failed.items()]

    def _put_beside(self, entity: Entity, beside: Beside, documents: Sequence[Document]) -> list[Misfit]:
        keys, requests = [], []
        for document in documents:
            for item in document[beside.field]:
                keys.append(entity.key_of(document))
                requests.append(InsertOne(beside.back(document, item)))
        failed = self._bulk(beside.collection, requests)
        return [
            Misfit(entity.name, keys[place], f"{beside.field}: {reason}") for place, reason in failed.items()
        ]

    def _clear(self, beside: Beside, keys: Sequence[Key]) -> None:
        requests = [DeleteMany({beside.link: key[0]}) for key in keys]
        self._bulk(beside.collection, requests)

    def _bulk(self, collection: Collection, requests: Sequence[Any]) -> dict[int, str]:
        """What was refused of the `requests`: their places, and why. Raises StoreUnavailable."""
        if not requests:
            return {}
        try:
            self._of(collection).bulk_write(list(requests), ordered=False)
        except BulkWriteError as error:
            if is_unavailable(error):
                raise translated(error) from error
            details: Any = error.details
            if details.get("writeConcernErrors"):
                raise translated(error) from error
            return {each["index"]: _said(each) for each in details["writeErrors"]}
        return {}

    def _of(self, collection: Collection) -> Any:
        return self._database.bare.get_collection(collection.name, write_concern=DURABLE)


def _by(kept: Kept) -> list[tuple[str, int]]:
    return [(name, 1) for name in kept.key]


def _linked(beside: Beside, after: Key | None, upto: Key | None) -> dict[str, Any]:
    bounds: dict[str, Any] = {} if after is None else {"$gt": after[0]}
    if upto is not None:
        bounds["$lte"] = upto[0]
    return {beside.link: bounds} if bounds else {}


def _fields(stamped: tuple[str, ...], unstamped: tuple[str, ...]) -> dict[str, int] | None:
    if stamped:
        return dict.fromkeys(stamped, 1)
    return dict.fromkeys(unstamped, 0) if unstamped else None


def _joined(
    kept: Kept, beside: Beside, found: Sequence[Document], others: Sequence[Document]
) -> list[Document]:
    by_key: dict[Any, list[Document]] = {}
    for each in others:
        item = dict(each)
        item["id"] = item.pop("_id")
        by_key.setdefault(item[beside.link], []).append(beside.out(item))
    documents = []
    for each in found:
        document = kept.neutral(each)
        items = by_key.pop(each["_id"], [])
        document[beside.field] = sorted(items, key=lambda item: item[beside.order])
        documents.append(document)
    return documents


def _mark(found: Any) -> str:
    count, total = 0, 0
    for each in found:
        count += 1
        total ^= int.from_bytes(hashlib.blake2b(encode(each, codec_options=_CODEC), digest_size=8).digest())
    return f"{count}:{total:x}"


def _said(failed: Mapping[str, Any]) -> str:
    """Which rule objected, without the content."""
    error = WriteError(str(failed.get("errmsg")), failed.get("code"), dict(failed))
    return str(translated(error)).replace("the document was refused", "refused")


@contextmanager
def unhurried(seconds: float = STATEMENT_SECONDS) -> Iterator[None]:
    """Statements may take as long as a batch does. Raises StoreUnavailable."""
    try:
        with pymongo.timeout(seconds):
            yield
    except PyMongoError as error:
        raise translated(error) from error
