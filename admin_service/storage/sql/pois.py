"""Points of interest: written with their history, and found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Connection, func, select

from admin_service.domain.clusters import Cluster
from admin_service.domain.geo import Box
from admin_service.domain.poi import SHOWN, Poi, PoiStatus
from admin_service.domain.searching import PoiQuery
from admin_service.domain.workflow import HistoryEntry
from admin_service.storage.ports.pois import PoiWrite
from admin_service.storage.sql import poi_tables as tables
from admin_service.storage.sql.media_uses import known_media
from admin_service.storage.sql.poi_maps import clusters
from admin_service.storage.sql.poi_records import COLUMNS, entry_of, poi_of
from admin_service.storage.sql.poi_search import search
from admin_service.storage.sql.poi_writing import write_one
from common.database.engine import Database
from common.database.keyset import page_from
from common.database.writing import Write
from common.pages import Page
from common.web.field_errors import coded
from common.web.idempotency import Idempotency
from common.web.paging import decode_cursor

_pois, _history = tables.pois, tables.poi_history
_SELECT = select(*COLUMNS)


class SqlPois:
    """The `PoiStore` on an SQL database."""

    def __init__(self, database: Database, write: Write) -> None:
        self._database, self._write = database, write

    def create(self, write: PoiWrite, *, idempotency: Idempotency | None = None) -> Poi:
        """See PoiStore."""
        return self._write(lambda connection: write_one(connection, write), idempotency)

    def replace(self, write: PoiWrite, *, idempotency: Idempotency | None = None) -> Poi:
        """See PoiStore."""
        return self._write(lambda connection: write_one(connection, write), idempotency)

    def poi(self, poi_id: UUID) -> Poi | None:
        """See PoiStore."""
        with self._database.read() as connection:
            row = connection.execute(_SELECT.where(_pois.c.id == poi_id)).one_or_none()
        return None if row is None else poi_of(row)

    def by_external_ids(self, external_ids: Collection[str]) -> Mapping[str, Poi]:
        """See PoiStore."""
        with self._database.read() as connection:
            return found_by_external_ids(connection, external_ids)

    def known_media(self, media_ids: Collection[UUID]) -> frozenset[UUID]:
        """See PoiStore."""
        with self._database.read() as connection:
            return known_media(connection, media_ids)

    def search(self, query: PoiQuery) -> Page[Poi]:
        """See PoiStore. `words` are those of `common.words.words`."""
        with self._database.read() as connection:
            return search(connection, query)

    def clusters(self, box: Box, zoom: int, category: str | None) -> tuple[Cluster, ...]:
        """See PoiStore."""
        with self._database.read() as connection:
            return clusters(connection, box, zoom, category)

    def history(self, poi_id: UUID, limit: int, cursor: str | None) -> Page[HistoryEntry]:
        """See PoiStore."""
        statement = select(_history).where(_history.c.poi_id == poi_id)
        if cursor is not None:
            statement = statement.where(_history.c.version < _version_in(cursor))
        statement = statement.order_by(_history.c.version.desc()).limit(limit + 1)
        with self._database.read() as connection:
            entries = [entry_of(row) for row in connection.execute(statement)]
        return page_from(entries, limit, lambda entry: (entry.version,))

    def version(self, poi_id: UUID, version: int) -> HistoryEntry | None:
        """See PoiStore."""
        is_it = (_history.c.poi_id == poi_id, _history.c.version == version)
        with self._database.read() as connection:
            row = connection.execute(select(_history).where(*is_it)).one_or_none()
        return None if row is None else entry_of(row)

    def counts_by_category(self) -> Mapping[str, int]:
        """See PoiStore."""
        shown = _pois.c.status.in_([status.value for status in SHOWN])
        statement = select(_pois.c.category, func.count().label("number")).where(shown)
        with self._database.read() as connection:
            rows = connection.execute(statement.group_by(_pois.c.category).order_by(_pois.c.category))
            return {row.category: row.number for row in rows}

    def counts(self) -> Mapping[PoiStatus, int]:
        """See PoiStore."""
        statement = select(_pois.c.status, func.count().label("number")).group_by(_pois.c.status)
        with self._database.read() as connection:
            found = {row.status: row.number for row in connection.execute(statement)}
        return {status: found.get(status.value, 0) for status in PoiStatus}


def found_by_external_ids(connection: Connection, external_ids: Collection[str]) -> dict[str, Poi]:
    """By external id; those that no POI has are left out."""
    statement = _SELECT.where(_pois.c.external_id.in_(sorted(external_ids)))
    return {row.external_id: poi_of(row) for row in connection.execute(statement)}


def _version_in(cursor: str) -> int:
    position = decode_cursor(cursor)
    if len(position) != 1 or type(position[0]) is not int or not 0 < position[0] < 2**31:
        raise coded("INVALID", "Not a cursor of this list.")
    return position[0]
