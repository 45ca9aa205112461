"""How a neutral document lies in collections: declared once by each service, read and written by
`common.transfer.mongo`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from bson.int64 import Int64

from common.mongo.collections import INSTANT, Collection
from common.transfer.documents import Document, Key

Shape = Callable[[Document], Document]


def _as_it_is(document: Document) -> Document:
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Documents of a collection of their own that belong to a neutral document, as its list `field`.

    Args:
        link: the field that holds the key of the whole.
        order: the member of the neutral items in whose order they are listed.
        out: the neutral item of a document.
        back: the document of (whole, item), without its `_id` where that is `id` in the item.
        stamped: the fields that change; all by default.
    """

    collection: Collection
    field: str
    link: str
    order: str = "id"
    out: Shape = _as_it_is
    back: Callable[[Document, Document], Document]
    stamped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Documents of `collection`, each of which is a neutral one.

    Args:
        key: the fields that are the key: `_id` alone, be it one value or, with several `members`, a document;
            or those of a unique index.
        members: the names of the key's parts in the neutral form.
        out: what the neutral form has otherwise, of a document that has `members` in the place of `_id`.
        back: the same the other way round.
        stamped: the fields that change whenever anything does; all by default.
        unstamped: large fields that never change unless another one does.
    """

    collection: Collection
    key: tuple[str, ...] = ("_id",)
    members: tuple[str, ...] = ("id",)
    out: Shape = _as_it_is
    back: Shape = _as_it_is
    stamped: tuple[str, ...] = ()
    unstamped: tuple[str, ...] = ()
    beside: Beside | None = None

    @property
    def is_by_id(self) -> bool:
        return self.key == ("_id",)

    def id_of(self, key: Key) -> Any:
        """The `_id` of the document with that key, where it is the key."""
        return key[0] if len(self.members) == 1 else dict(zip(self.members, key, strict=True))

    def neutral(self, found: Mapping[str, Any]) -> Document:
        document = dict(found)
        identifier = document.pop("_id")
        if self.is_by_id:
            if len(self.members) == 1:
                document[self.members[0]] = identifier
            else:
                document.update(identifier)
        return self.out(document)

    def stored(self, document: Document) -> Document:
        made = dict(self.back(dict(document)))
        if self.is_by_id:
            made["_id"] = self.id_of(tuple(made.pop(name) for name in self.members))
        return with_longs(self.collection, made)

    def match(self, key: Key) -> dict[str, Any]:
        """The condition that finds the document of the key."""
        if self.is_by_id:
            return {"_id": self.id_of(key)}
        return dict(zip(self.key, key, strict=True))

    def within(self, after: Key | None, upto: Key | None) -> dict[str, Any]:
        """The condition of a range."""
        if self.is_by_id:
            bounds = {} if after is None else {"$gt": self.id_of(after)}
            if upto is not None:
                bounds["$lte"] = self.id_of(upto)
            return {"_id": bounds} if bounds else {}
        parts = [] if after is None else [_beyond(self.key, after)]
        if upto is not None:
            parts.append(_up_to(self.key, upto))
        return {"$and": parts} if parts else {}


def with_longs(collection: Collection, document: Document) -> Document:
    """Instants of the document's own fields are 64 bits long, however small."""
    return {
        name: Int64(value) if isinstance(value, int) and _is_instant(collection.fields.get(name)) else value
        for name, value in document.items()
    }


def texts(ids: Sequence[UUID] | None) -> list[str] | None:
    """UUIDs as a JSON column has them."""
    return None if ids is None else [str(each) for each in ids]


def uuids(found: Sequence[str] | None) -> list[UUID] | None:
    """The other way round."""
    return None if found is None else [UUID(each) for each in found]


def json_text(value: Any) -> str:
    """As the stores write it."""
    return orjson.dumps(value).decode()


def _is_instant(kind: Any) -> bool:
    if kind is None or "bsonType" not in kind:
        return False
    types = kind["bsonType"]
    return bool(types == INSTANT["bsonType"] or types == [INSTANT["bsonType"], "null"])


def _beyond(names: Sequence[str], key: Key) -> dict[str, Any]:
    first, *others = names
    if not others:
        return {first: {"$gt": key[0]}}
    deeper = {"$and": [{first: key[0]}, _beyond(others, key[1:])]}
    return {"$and": [{first: {"$gte": key[0]}}, {"$or": [{first: {"$gt": key[0]}}, deeper]}]}


def _up_to(names: Sequence[str], key: Key) -> dict[str, Any]:
    first, *others = names
    if not others:
        return {first: {"$lte": key[0]}}
    deeper = {"$and": [{first: key[0]}, _up_to(others, key[1:])]}
    return {"$and": [{first: {"$lte": key[0]}}, {"$or": [{first: {"$lt": key[0]}}, deeper]}]}
