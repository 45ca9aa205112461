"""A MongoDB database of another system, which is moved from alone: our documents are made of its own.

Ranges are of its ObjectIds, in whose order the UUIDs made of them are. A range's stamp is of what was made of
it, so that it is another one whatever of the other system made it so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Self

from bson import CodecOptions, DatetimeConversion, ObjectId
from pymongo.collection import Collection
from pymongo.database import Database

from common.mongo.database import MongoDatabase
from common.transfer.documents import Document, Entity, Key, canonical
from common.transfer.members import Shape, Unfit
from common.transfer.mongo import STATEMENT_SECONDS, unhurried
from common.transfer.object_ids import PARTS, id_of, object_id_of
from common.transfer.port import Misfit, Side, TransferFault

ASKED_AT_ONCE = 100
WHOLE_SECONDS = 3600
"""What is made at once looks at every document of a collection."""

_CODEC: CodecOptions[Document] = CodecOptions(
    tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


class Reading:
    """Finds documents of the other system."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database

    def find(
        self,
        collection: str,
        condition: Mapping[str, Any],
        fields: Sequence[str] | None = None,
        limit: int = 0,
    ) -> Iterator[Document]:
        """Those that meet the condition, by their ids, with `fields` alone where any are named."""
        return iter(self.of(collection).find(condition, fields).sort("_id").limit(limit))

    def among(
        self, collection: str, name: str, values: Iterable[Any], fields: Sequence[str] | None = None,
        others: Mapping[str, Any] | None = None,
    ) -> Iterator[Document]:  # fmt: skip
        """Those whose member `name` is one of the ObjectIds among `values`, a hundred at a time."""
        wanted = list({each for each in values if isinstance(each, ObjectId)})
        for start in range(0, len(wanted), ASKED_AT_ONCE):
            some = {"$in": wanted[start : start + ASKED_AT_ONCE]}
            yield from self.find(collection, {name: some, **(others or {})}, fields)

    def of(self, collection: str) -> Collection[Document]:
        """The collection itself, for what else there is to ask."""
        return self._database.get_collection(collection, codec_options=_CODEC)


Make = Callable[[Reading, list[Document]], Iterable[Document | Misfit]]
"""Our documents, and what cannot be one, of some of the other system's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """How an entity is made.

    Args:
        collection: of whose documents.
        make: is given them in the order of their ids.
        counted: those of the collection of which there is one each; None: only making them tells how many.
        whole: all are made at once, of all of them; `make` is given nothing and asks for itself.
        after_id: what follows the id in a key that has more members, as it never is.
    """

    collection: str
    make: Make
    counted: Mapping[str, Any] | None = field(default_factory=dict)
    whole: bool = False
    after_id: Key = ()


@dataclass(frozen=True, slots=True)
class _Made:
    """What a range came to."""

    documents: list[Document]
    misfits: list[Misfit]


class DerivedSide(Side):
    """`Side` that is only read.

    Args:
        url: of the other system's database.
        layout: how each entity is made.
        shapes: what is known of its collections.
    """

    kind = "the predecessor"

    def __init__(self, url: str, layout: Mapping[str, Derived], shapes: Sequence[Shape]) -> None:
        self._database = MongoDatabase(url, threads=2)
        self._reading = Reading(self._database.bare)
        self._layout, self._shapes = layout, shapes
        self._latest: tuple[tuple[str, Key | None, Key | None], _Made] | None = None
        self._left_out: list[Misfit] = []

    @classmethod
    def opened(cls, url: str, layout: Mapping[str, Derived], shapes: Sequence[Shape]) -> Self:
        """Raises StoreUnavailable, and TransferFault unless the collections are there: an empty place would
        be moved in silence.
        """
        side = cls(url, layout, shapes)
        try:
            side._require()
        except BaseException:
            side.close()
            raise
        return side

    def _require(self) -> None:
        with unhurried():
            missing = [
                each.collection
                for each in self._shapes
                if self._reading.of(each.collection).find_one({}, ["_id"]) is None
            ]
            strange = [
                each.collection
                for each in self._shapes
                if self._reading.of(each.collection).find_one({"_id": {"$not": {"$type": "objectId"}}})
            ]
        if missing:
            raise TransferFault(
                f"FROM has nothing in {', '.join(missing)}: is it the predecessor's database?"
            )
        if strange:
            raise TransferFault(f"FROM has documents whose _id is no ObjectId, in {', '.join(strange)}")

    def count(self, entity: Entity) -> int:
        derived = self._layout[entity.name]
        if derived.counted is not None and not derived.whole:
            with unhurried():
                return self._reading.of(derived.collection).count_documents(derived.counted)
        count, after = 0, None
        while True:
            upto = self.boundary(entity, after, entity.batch)
            count += len(self._make(entity, after, upto).documents)
            if upto is None:
                return count
            after = upto

    def boundary(self, entity: Entity, after: Key | None, size: int) -> Key | None:
        derived = self._layout[entity.name]
        if derived.whole:
            return None
        with unhurried():
            condition = _within(after, None)
            found = list(self._reading.find(derived.collection, condition, ["_id"], size))
        return (id_of(found[-1]["_id"], PARTS - 1), *derived.after_id) if found else None

    def stamp(self, entity: Entity, after: Key | None, upto: Key | None) -> str:
        made = self._make(entity, after, upto)
        # what is read next is what the stamp is of
        self._latest = ((entity.name, after, upto), made)
        total = hashlib.blake2b(digest_size=16)
        for form in (*map(canonical, made.documents), *(repr(each).encode() for each in made.misfits)):
            total.update(hashlib.blake2b(form, digest_size=16).digest())
        return total.hexdigest()

    def read(self, entity: Entity, after: Key | None, upto: Key | None) -> list[Document]:
        latest, self._latest = self._latest, None
        known = latest is not None and latest[0] == (entity.name, after, upto)
        made = latest[1] if latest is not None and known else self._make(entity, after, upto)
        self._left_out = made.misfits
        return made.documents

    def left_out(self) -> Sequence[Misfit]:
        return self._left_out

    def remarks(self) -> Iterator[str]:
        """Which members are left behind, and in how many documents they say something."""
        for shape in self._shapes:
            for path in shape.left:
                said = {path: {"$exists": True, "$nin": [None, "", [], False, 0]}}
                with unhurried():
                    count = self._reading.of(shape.collection).count_documents(said)
                if count:
                    yield f"left behind: {shape.collection}.{path} of {count:,}"

    def write(
        self, entity: Entity, new: Sequence[Document], changed: Sequence[Document], gone: Sequence[Key]
    ) -> list[Misfit]:
        """Raises TransferFault, always."""
        raise TransferFault("the predecessor is only moved from")

    def misfits(self) -> Iterator[Misfit]:
        return iter(())

    def close(self) -> None:
        self._database.close()

    def _make(self, entity: Entity, after: Key | None, upto: Key | None) -> _Made:
        derived = self._layout[entity.name]
        documents: list[Document] = []
        misfits: list[Misfit] = []
        with unhurried(WHOLE_SECONDS if derived.whole else STATEMENT_SECONDS):
            sources: list[Document] = []
            if not derived.whole:
                sources = list(self._reading.find(derived.collection, _within(after, upto)))
            for each in derived.make(self._reading, sources):
                if isinstance(each, Misfit):
                    misfits.append(each)
                else:
                    documents.append(each)
        return _Made(documents, misfits)


def one_by_one(
    entity: str, sources: Iterable[Document], make: Callable[[Document], Iterable[Document]]
) -> Iterator[Document | Misfit]:
    """What `make` has of each source; a misfit of one that it says is unfit."""
    for source in sources:
        try:
            yield from list(make(source))
        except Unfit as unfit:
            yield Misfit(entity, (str(source["_id"]),), str(unfit))


def _within(after: Key | None, upto: Key | None) -> dict[str, Any]:
    bounds: dict[str, Any] = {} if after is None else {"$gt": object_id_of(after[0])}
    if upto is not None:
        bounds["$lte"] = object_id_of(upto[0])
    return {"_id": bounds} if bounds else {}
