"""Collections as they are declared in code: what a document looks like, and how it is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Kind = Mapping[str, Any]
"""What `$jsonSchema` says of a field."""

ID: Kind = {"bsonType": "binData"}
"""A UUID (subtype 4), or bytes."""
OBJECT_ID: Kind = {"bsonType": "objectId"}
"""The driver's own, for what is found by other fields."""
BYTES: Kind = {"bsonType": "binData"}
INTEGER: Kind = {"bsonType": ["int", "long"]}
NUMBER: Kind = {"bsonType": ["double", "int", "long"]}
INSTANT: Kind = {"bsonType": "long"}
"""Milliseconds since 1970."""
BOOLEAN: Kind = {"bsonType": "bool"}
OBJECT: Kind = {"bsonType": "object"}
LIST: Kind = {"bsonType": "array"}


def text(longest: int) -> Kind:
    """A text of at most so many characters."""
    return {"bsonType": "string", "maxLength": longest}


def none_below(least: int) -> Kind:
    """A whole number that is never less."""
    return {**INTEGER, "minimum": least}


def or_null(kind: Kind) -> Kind:
    """The same, or null."""
    types = kind["bsonType"]
    return {**kind, "bsonType": [*([types] if isinstance(types, str) else types), "null"]}


def objects(fields: Mapping[str, Kind]) -> Kind:
    """An embedded document that has all of `fields` and no other."""
    return {
        "bsonType": "object",
        "required": sorted(fields),
        "properties": dict(fields),
        "additionalProperties": False,
    }


def lists_of(kind: Kind) -> Kind:
    """A list of such."""
    return {"bsonType": "array", "items": kind}


@dataclass(frozen=True, slots=True)
class Index:
    """`keys`: fields with 1 or -1. `partial`: only the documents that it fits are indexed."""

    name: str
    keys: tuple[tuple[str, int], ...]
    unique: bool = False
    partial: Mapping[str, Any] | None = None

    @property
    def options(self) -> dict[str, Any]:
        """As pymongo takes them."""
        options: dict[str, Any] = {"name": self.name}
        if self.unique:
            options["unique"] = True
        if self.partial is not None:
            options["partialFilterExpression"] = self.partial
        return options


@dataclass(frozen=True, slots=True)
class Collection:
    """Every document has all of `fields`, `_id` among them, and no other."""

    name: str
    fields: Mapping[str, Kind]
    indexes: tuple[Index, ...] = ()

    @property
    def validator(self) -> dict[str, Any]:
        """What the server holds each write to."""
        return {"$jsonSchema": objects(self.fields)}


@dataclass(slots=True)
class Collections:
    """Makes the collections of one service, which all begin with `prefix`, such as `ticketing_`."""

    prefix: str
    made: list[Collection] = field(default_factory=list)

    def __call__(self, name: str, fields: Mapping[str, Kind], *indexes: Index) -> Collection:
        """The collection `name`, without its prefix."""
        made = Collection(self.prefix + name, fields, indexes)
        self.made.append(made)
        return made


def index(name: str, *keys: str, unique: bool = False, partial: Mapping[str, Any] | None = None) -> Index:
    """`keys` are fields; one that begins with `-` descends."""
    pairs = tuple((key.removeprefix("-"), -1 if key.startswith("-") else 1) for key in keys)
    return Index(name, pairs, unique, partial)


def outbox_collection(collections: Collections) -> Collection:
    """What is to be done outside after a commit."""
    return collections(
        "outbox",
        {
            "_id": ID,
            "kind": text(30),
            # as text: names of a payload's members may be any
            "payload": {"bsonType": "string"},
            "attempts": INTEGER,
            # null once it is given up; done ones are deleted
            "due_at": or_null(INSTANT),
            "last_error": or_null(text(500)),
            "created_at": INSTANT,
            # of the request that wrote it (W3C Trace Context)
            "traceparent": or_null(text(55)),
        },
        index("due", "due_at", "_id"),
        index("kind", "kind", "due_at"),
    )


def idempotency_collection(collections: Collections) -> Collection:
    """The answers that are kept for a repetition."""
    return collections(
        "idempotency",
        {
            # a hash of the client's key
            "_id": objects({"scope": text(200), "key": text(64)}),
            "fingerprint": BYTES,
            "status": INTEGER,
            "headers": lists_of(lists_of({"bsonType": "string"})),
            "body": BYTES,
            "created_at": INSTANT,
            # whose data the answer has: it goes when that is erased
            "about": or_null(ID),
        },
        index("created", "created_at"),
        index("about", "about", partial={"about": {"$type": "binData"}}),
    )


def leases_collection(collections: Collections) -> Collection:
    """Who is the one that does something, and until when."""
    return collections("leases", {"_id": text(40), "owner": text(80), "until": INSTANT, "beat_at": INSTANT})
