"""POIs that may be one place, and those that were made one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from admin_service.domain.audit import AuditEvent
from admin_service.domain.duplicates import Resemblance, Sketch
from admin_service.domain.merging import Merge
from admin_service.storage.ports.pois import PoiWrite
from common.pages import Page
from common.web.idempotency import Idempotency


class DuplicateStore(Protocol):
    """What is found is kept, so that a list of all likely duplicates costs no search."""

    def near(self, sketch: Sketch, radius_km: float, limit: int) -> tuple[Sketch, ...]:
        """Others within the radius at least, archived ones not among them."""
        ...

    def sketches(self, poi_ids: Collection[UUID]) -> tuple[Sketch, ...]:
        """Of those that are not archived."""
        ...

    def put(self, found: Mapping[UUID, Sequence[Resemblance]], now: datetime) -> None:
        """What each POI resembles now; what it was said to resemble before is forgotten."""
        ...

    def found(self, limit: int, cursor: str | None) -> Page[Resemblance]:
        """Pairs of which neither is archived and that nobody has dismissed, the likeliest first."""
        ...

    def dismiss(self, one: UUID, other: UUID, event: AuditEvent) -> None:
        """The two are different places, whatever they look like. Repeatable; refuses NOT_A_DUPLICATE."""
        ...

    def merge(
        self, writes: Sequence[PoiWrite], merge: Merge, *, idempotency: Idempotency | None = None
    ) -> Merge:
        """Write both POIs, in this order, and keep how it is undone. Refuses as `PoiStore.replace`."""
        ...

    def unmerge(
        self,
        writes: Sequence[PoiWrite],
        merge_id: UUID,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Merge:
        """Refuses as `PoiStore.replace`, and MERGE_UNDONE."""
        ...

    def merge_by_id(self, merge_id: UUID) -> Merge | None: ...

    def merges_of(self, poi_id: UUID, limit: int) -> tuple[Merge, ...]:
        """Those that the POI survived, the newest first."""
        ...
