"""Points of interest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from admin_service.domain.audit import AuditEvent
from admin_service.domain.clusters import Cluster
from admin_service.domain.geo import Box
from admin_service.domain.poi import Poi, PoiStatus
from admin_service.domain.searching import PoiQuery
from admin_service.domain.workflow import HistoryEntry
from common.pages import Page
from common.web.idempotency import Idempotency


@dataclass(frozen=True, slots=True, kw_only=True)
class PoiWrite:
    """One POI as it is to be, and as it was when that was decided (None: there was none). `event` goes into
    the audit trail; None where another event tells of it.
    """

    before: Poi | None
    poi: Poi
    entry: HistoryEntry
    event: AuditEvent | None


class PoiStore(Protocol):
    """POIs, their history, what finds them, and what counts them for maps."""

    def create(self, write: PoiWrite, *, idempotency: Idempotency | None = None) -> Poi:
        """Refuses EXTERNAL_ID_TAKEN."""
        ...

    def replace(self, write: PoiWrite, *, idempotency: Idempotency | None = None) -> Poi:
        """Refuses POI_NOT_FOUND, VERSION_CONFLICT (it is not as it was any more), EXTERNAL_ID_TAKEN."""
        ...

    def poi(self, poi_id: UUID) -> Poi | None: ...

    def by_external_ids(self, external_ids: Collection[str]) -> Mapping[str, Poi]: ...

    def known_media(self, media_ids: Collection[UUID]) -> frozenset[UUID]:
        """Those that the media library has."""
        ...

    def search(self, query: PoiQuery) -> Page[Poi]:
        """By words (every one a prefix of a word of the POI) and filters. A cursor that is not of this list
        is refused as `common.web.paging` says.
        """
        ...

    def clusters(self, box: Box, zoom: int, category: str | None) -> tuple[Cluster, ...]:
        """What is shown in the box, in clusters of the zoom. Refuses VIEW_TOO_WIDE."""
        ...

    def history(self, poi_id: UUID, limit: int, cursor: str | None) -> Page[HistoryEntry]:
        """The newest first."""
        ...

    def version(self, poi_id: UUID, version: int) -> HistoryEntry | None: ...

    def counts_by_category(self) -> Mapping[str, int]:
        """How many are shown of each category that has any."""
        ...

    def counts(self) -> Mapping[PoiStatus, int]:
        """How many there are of each status."""
        ...
