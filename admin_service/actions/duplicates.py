"""POIs that may be one place: found, looked through, merged, and parted again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from admin_service.actions.pois import By, managed_poi, write_of
from admin_service.actions.ports import Ports
from admin_service.domain.audit import AuditEvent
from admin_service.domain.duplicates import NEAR_KM, Resemblance, Sketch, resemblances
from admin_service.domain.errors import Code, Refused
from admin_service.domain.merging import Merge, merged, unmerged
from admin_service.domain.poi import Poi
from common.identifiers import uuid7
from common.pages import Page
from common.web.idempotency import Idempotency

MOST_NEAR = 300
"""So many neighbours are looked at; more within 300 m are a crowd, in which the nearest cells come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePois:
    """`survivor_id` takes in `duplicate_id`."""

    by: By
    survivor_id: UUID
    survivor_version: int
    duplicate_id: UUID
    duplicate_version: int
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoMerge:
    by: By
    merge_id: UUID
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissPair:
    by: By
    one: UUID
    other: UUID


def look_for_duplicates(poi_ids: Iterable[UUID], ports: Ports) -> int:
    """Compare the POIs with what is near to them, and keep what is found; says how many pairs were."""
    sketches = ports.store.duplicates.sketches(tuple(poi_ids))
    found = {sketch.id: _found(sketch, ports) for sketch in sketches}
    if found:
        ports.store.duplicates.put(found, ports.clock())
    return sum(map(len, found.values()))


def duplicates_of(poi_id: UUID, by: By, ports: Ports) -> tuple[Resemblance, ...]:
    """What resembles the POI now. Raises POI_NOT_FOUND."""
    poi = managed_poi(poi_id, by, ports)
    content = poi.content
    sketch = Sketch(id=poi.id, names=content.names, category=content.category, point=content.point)
    return tuple(_found(sketch, ports))


def all_duplicates(limit: int, cursor: str | None, ports: Ports) -> Page[Resemblance]:
    return ports.store.duplicates.found(limit, cursor)


def dismiss_pair(command: DismissPair, ports: Ports) -> None:
    """Raises NOT_A_DUPLICATE."""
    one, other = sorted((command.one, command.other))
    event = AuditEvent(
        at=ports.clock(),
        origin=command.by.origin,
        action="pois.dismiss_duplicate",
        subject=str(one),
        after={"notTheSameAs": str(other)},
    )
    ports.store.duplicates.dismiss(one, other, event)


def merge_pois(command: MergePois, ports: Ports) -> Merge:
    """Raises POI_NOT_FOUND, VERSION_CONFLICT, NOT_A_DUPLICATE."""
    survivor = _as_it_was(command.survivor_id, command.survivor_version, command.by, ports)
    absorbed = _as_it_was(command.duplicate_id, command.duplicate_version, command.by, ports)
    after, gone, merge = merged(survivor, absorbed, uuid7(), command.by.actor.name, ports.clock())
    writes = (
        # first, so that its external id is free for the survivor
        write_of(absorbed, gone, "merged", command.by, f"into {survivor.id}"),
        write_of(survivor, after, "merged", command.by, f"took in {absorbed.id}"),
    )
    return ports.store.duplicates.merge(writes, merge, idempotency=command.idempotency)


def undo_merge(command: UndoMerge, ports: Ports) -> Merge:
    """Raises MERGE_NOT_FOUND, MERGE_UNDONE, VERSION_CONFLICT, EXTERNAL_ID_TAKEN."""
    merge = ports.store.duplicates.merge_by_id(command.merge_id)
    if merge is None:
        raise Refused(Code.MERGE_NOT_FOUND)
    survivor, absorbed = (managed_poi(each, command.by, ports) for each in (merge.survivor, merge.absorbed))
    now = ports.clock()
    apart, again = unmerged(survivor, absorbed, merge, now)
    reason = f"merge {merge.id}"
    writes = (
        write_of(survivor, apart, "unmerged", command.by, reason),
        write_of(absorbed, again, "unmerged", command.by, reason),
    )
    return ports.store.duplicates.unmerge(writes, merge.id, now, idempotency=command.idempotency)


def merges_of(poi_id: UUID, by: By, limit: int, ports: Ports) -> tuple[Merge, ...]:
    """Raises POI_NOT_FOUND."""
    managed_poi(poi_id, by, ports)
    return ports.store.duplicates.merges_of(poi_id, limit)


def _found(sketch: Sketch, ports: Ports) -> list[Resemblance]:
    near = ports.store.duplicates.near(sketch, NEAR_KM, MOST_NEAR)
    return list(resemblances(sketch, near))


def _as_it_was(poi_id: UUID, version: int, by: By, ports: Ports) -> Poi:
    poi = managed_poi(poi_id, by, ports)
    if poi.version != version:
        raise Refused(Code.VERSION_CONFLICT, facts={"version": poi.version, "poiId": str(poi_id)})
    return poi
