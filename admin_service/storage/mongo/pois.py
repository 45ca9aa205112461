"""Points of interest: written with their history, and found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from admin_service.domain.clusters import Cluster
from admin_service.domain.geo import Box
from admin_service.domain.poi import SHOWN, Poi, PoiStatus
from admin_service.domain.searching import PoiQuery
from admin_service.domain.workflow import HistoryEntry
from admin_service.storage.mongo import poi_collections as collections
from admin_service.storage.mongo.media_uses import known_media
from admin_service.storage.mongo.poi_maps import clusters
from admin_service.storage.mongo.poi_records import FIELDS, entry_of, poi_of
from admin_service.storage.mongo.poi_search import search
from admin_service.storage.mongo.poi_writing import write_one
from admin_service.storage.ports.pois import PoiWrite
from common.database.cursors import page_from
from common.mongo.database import MongoDatabase
from common.mongo.writing import Write
from common.pages import Page
from common.web.field_errors import coded
from common.web.idempotency import Idempotency
from common.web.paging import decode_cursor

_pois, _history = collections.pois, collections.poi_history


class MongoPois:
    """The `PoiStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, write: Write) -> None:
        self._database, self._write = database, write

    def create(self, write: PoiWrite, *, idempotency: Idempotency | None = None) -> Poi:
        """See PoiStore."""
        return self._write(lambda tx: write_one(tx, write), idempotency)

    def replace(self, write: PoiWrite, *, idempotency: Idempotency | None = None) -> Poi:
        """See PoiStore."""
        return self._write(lambda tx: write_one(tx, write), idempotency)

    def poi(self, poi_id: UUID) -> Poi | None:
        """See PoiStore."""
        with self._database.read() as tx:
            found = tx.one(_pois, {"_id": poi_id}, FIELDS)
        return None if found is None else poi_of(found)

    def by_external_ids(self, external_ids: Collection[str]) -> Mapping[str, Poi]:
        """See PoiStore."""
        # said with the type, as the index has those that have one
        these = {"external_id": {"$in": sorted(external_ids), "$type": "string"}}
        with self._database.read() as tx:
            return {each["external_id"]: poi_of(each) for each in tx.find(_pois, these, fields=FIELDS)}

    def known_media(self, media_ids: Collection[UUID]) -> frozenset[UUID]:
        """See PoiStore."""
        with self._database.read() as tx:
            return known_media(tx, media_ids)

    def search(self, query: PoiQuery) -> Page[Poi]:
        """See PoiStore. `words` are those of `common.words.words`."""
        with self._database.read() as tx:
            return search(tx, query)

    def clusters(self, box: Box, zoom: int, category: str | None) -> tuple[Cluster, ...]:
        """See PoiStore."""
        with self._database.read() as tx:
            return clusters(tx, box, zoom, category)

    def history(self, poi_id: UUID, limit: int, cursor: str | None) -> Page[HistoryEntry]:
        """See PoiStore."""
        wanted: dict[str, Any] = {"poi_id": poi_id}
        if cursor is not None:
            wanted["version"] = {"$lt": _version_in(cursor)}
        with self._database.read() as tx:
            found = tx.find(_history, wanted, sort=[("version", -1)], limit=limit + 1)
        return page_from([entry_of(each) for each in found], limit, lambda entry: (entry.version,))

    def version(self, poi_id: UUID, version: int) -> HistoryEntry | None:
        """See PoiStore."""
        with self._database.read() as tx:
            found = tx.one(_history, {"poi_id": poi_id, "version": version})
        return None if found is None else entry_of(found)

    def counts_by_category(self) -> Mapping[str, int]:
        """See PoiStore."""
        shown = {"status": {"$in": [status.value for status in SHOWN]}}
        return dict(sorted(self._counted("category", shown).items()))

    def counts(self) -> Mapping[PoiStatus, int]:
        """See PoiStore."""
        found = self._counted("status", {"status": {"$in": [status.value for status in PoiStatus]}})
        return {status: found.get(status.value, 0) for status in PoiStatus}

    def _counted(self, field: str, condition: dict[str, Any]) -> dict[str, int]:
        stages = [{"$match": condition}, {"$group": {"_id": f"${field}", "number": {"$sum": 1}}}]
        with self._database.read() as tx:
            return {each["_id"]: each["number"] for each in tx.aggregate(_pois, stages)}


def _version_in(cursor: str) -> int:
    position = decode_cursor(cursor)
    if len(position) != 1 or type(position[0]) is not int or not 0 < position[0] < 2**31:
        raise coded("INVALID", "Not a cursor of this list.")
    return position[0]
