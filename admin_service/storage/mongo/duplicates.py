"""POIs that may be one place, and those that were made one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from admin_service.domain.audit import AuditEvent
from admin_service.domain.duplicates import Resemblance, Sketch
from admin_service.domain.errors import Code, Refused
from admin_service.domain.geo import Point, box_around, runs_of
from admin_service.domain.merging import Merge
from admin_service.domain.poi import PoiStatus
from admin_service.storage.mongo import audit
from admin_service.storage.mongo import poi_collections as collections
from admin_service.storage.mongo.poi_records import merge_document, merge_of
from admin_service.storage.mongo.poi_writing import forget_resemblances, write_all
from admin_service.storage.ports.pois import PoiWrite
from common.database.cursors import page_from
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import Document, ms
from common.mongo.writing import Write
from common.pages import Page
from common.web.field_errors import coded
from common.web.idempotency import Idempotency
from common.web.paging import decode_cursor

_pois, _pairs, _merges = collections.pois, collections.poi_resemblances, collections.poi_merges
_SKETCHED = ("category", "latitude", "longitude", "content.name")
_LIVE = [status.value for status in PoiStatus if status is not PoiStatus.ARCHIVED]
_RUNS = 4
"""So small a circle touches few cells of its own size."""


class MongoDuplicates:
    """The `DuplicateStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, write: Write) -> None:
        self._database, self._write = database, write

    def near(self, sketch: Sketch, radius_km: float, limit: int) -> tuple[Sketch, ...]:
        """See DuplicateStore."""
        found: list[Sketch] = []
        with self._database.read() as tx:
            for first, last in runs_of(box_around(sketch.point, radius_km), limit=_RUNS):
                if len(found) >= limit:
                    break
                run = {"status": {"$in": _LIVE}, "cell": {"$gte": first, "$lte": last}}
                others = {**run, "_id": {"$ne": sketch.id}}
                rest = limit - len(found)
                found += map(_sketch_of, tx.find(_pois, others, limit=rest, fields=_SKETCHED))
        return tuple(found)

    def sketches(self, poi_ids: Collection[UUID]) -> tuple[Sketch, ...]:
        """See DuplicateStore."""
        with self._database.read() as tx:
            found = tx.with_ids(_pois, poi_ids, (*_SKETCHED, "status"))
        return tuple(_sketch_of(each) for each in found if each["status"] in _LIVE)

    def put(self, found: Mapping[UUID, Sequence[Resemblance]], now: datetime) -> None:
        """See DuplicateStore."""
        pairs = {(pair.one, pair.other): pair for each in found.values() for pair in each}

        def verb(tx: Transaction) -> None:
            forget_resemblances(tx, found)
            # one that was dismissed is still there
            tx.update_each(
                _pairs,
                [
                    ({"one": one, "other": other}, {"$setOnInsert": _facts(pair, now)})
                    for (one, other), pair in sorted(pairs.items())
                ],
                upsert=True,
            )

        self._write(verb)

    def found(self, limit: int, cursor: str | None) -> Page[Resemblance]:
        """See DuplicateStore."""
        stages: list[dict[str, Any]] = [
            {"$match": {"dismissed": False, **({} if cursor is None else _after(cursor))}},
            {"$sort": {"score": -1, "one": -1, "other": -1}},
        ]
        for side in ("one", "other"):
            stages += [
                {"$lookup": {"from": _pois.name, "localField": side, "foreignField": "_id", "as": "poi"}},
                {"$match": {"poi.status": {"$in": _LIVE}}},
            ]
        stages += [{"$limit": limit + 1}, {"$project": {"poi": 0}}]
        with self._database.read() as tx:
            pairs = [_pair_of(each) for each in tx.aggregate(_pairs, stages)]
        return page_from(pairs, limit, _key)

    def dismiss(self, one: UUID, other: UUID, event: AuditEvent) -> None:
        """See DuplicateStore."""
        is_it = {"one": min(one, other), "other": max(one, other)}

        def verb(tx: Transaction) -> None:
            if not tx.update(_pairs, is_it, {"$set": {"dismissed": True}}):
                raise Refused(Code.NOT_A_DUPLICATE, "Nobody takes the two for one place.")
            audit.append(tx, event)

        self._write(verb)

    def merge(
        self, writes: Sequence[PoiWrite], merge: Merge, *, idempotency: Idempotency | None = None
    ) -> Merge:
        """See DuplicateStore."""

        def verb(tx: Transaction) -> Merge:
            write_all(tx, writes)
            tx.insert(_merges, [merge_document(merge)])
            return merge

        return self._write(verb, idempotency)

    def unmerge(
        self,
        writes: Sequence[PoiWrite],
        merge_id: UUID,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Merge:
        """See DuplicateStore."""

        def verb(tx: Transaction) -> Merge:
            open_one = {"_id": merge_id, "undone_at": None}
            if not tx.update(_merges, open_one, {"$set": {"undone_at": ms(now)}}):
                raise Refused(Code.MERGE_UNDONE)
            write_all(tx, writes)
            undone = tx.one(_merges, {"_id": merge_id})
            assert undone is not None  # noqa: S101 it has just been changed
            return merge_of(undone)

        return self._write(verb, idempotency)

    def merge_by_id(self, merge_id: UUID) -> Merge | None:
        """See DuplicateStore."""
        with self._database.read() as tx:
            found = tx.one(_merges, {"_id": merge_id})
        return None if found is None else merge_of(found)

    def merges_of(self, poi_id: UUID, limit: int) -> tuple[Merge, ...]:
        """See DuplicateStore."""
        with self._database.read() as tx:
            found = tx.find(_merges, {"survivor": poi_id}, sort=[("_id", -1)], limit=limit)
        return tuple(map(merge_of, found))


def _sketch_of(found: Document) -> Sketch:
    return Sketch(
        id=found["_id"],
        names=found["content"]["name"],
        category=found["category"],
        point=Point(found["latitude"], found["longitude"]),
    )


def _facts(pair: Resemblance, now: datetime) -> dict[str, Any]:
    return {
        "score": _thousandths(pair.score),
        "name": _thousandths(pair.name),
        "metres": pair.metres,
        "found_at": ms(now),
        "dismissed": False,
    }


def _pair_of(found: Document) -> Resemblance:
    return Resemblance(
        one=found["one"],
        other=found["other"],
        score=found["score"] / 1000,
        name=found["name"] / 1000,
        metres=found["metres"],
    )


def _key(pair: Resemblance) -> tuple[int, str, str]:
    return _thousandths(pair.score), str(pair.one), str(pair.other)


def _thousandths(share: float) -> int:
    return round(share * 1000)


def _after(cursor: str) -> dict[str, Any]:
    try:
        score, one, other = decode_cursor(cursor)
        if type(score) is not int or not 0 <= score <= 1000:
            raise ValueError
        first, second = UUID(one), UUID(other)
    except (ValueError, TypeError, AttributeError) as error:
        raise coded("INVALID", "Not a cursor of this list.") from error
    return {
        "score": {"$lte": score},
        "$or": [
            {"score": {"$lt": score}},
            {"one": {"$lt": first}},
            {"one": first, "other": {"$lt": second}},
        ],
    }
