"""Two POIs that are one place: the survivor takes over what it lacks, and the merge can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from admin_service.domain.errors import Code, Refused
from admin_service.domain.poi import Poi, PoiContent, PoiStatus
from admin_service.domain.snapshots import content_of, snapshot_of
from common.texts import Texts

MAX_TAGS, MAX_IMAGES = 30, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What is kept to undo it: the two as they were (snapshots and the other's status), and the survivor as
    it came out.
    """

    id: UUID
    survivor: UUID
    absorbed: UUID
    by: str
    at: datetime
    survivor_before: Mapping[str, Any]
    survivor_after: Mapping[str, Any]
    absorbed_before: Mapping[str, Any]
    absorbed_status: PoiStatus
    undone_at: datetime | None = None


def merged(survivor: Poi, absorbed: Poi, merge_id: UUID, by: str, now: datetime) -> tuple[Poi, Poi, Merge]:
    """The survivor with what only the other one had, the other one archived, and how to undo it.

    Raises NOT_A_DUPLICATE for a POI with itself or with one that is archived.
    """
    if survivor.id == absorbed.id:
        raise Refused(Code.NOT_A_DUPLICATE, "A POI cannot be merged with itself.", "/duplicateId")
    for poi in (survivor, absorbed):
        if poi.status is PoiStatus.ARCHIVED:
            raise Refused(Code.NOT_A_DUPLICATE, f"{poi.id} is archived.", "/duplicateId")
    content = _together(survivor.content, absorbed.content)
    after = replace(survivor, content=content, version=survivor.version + 1, updated_at=now, changed_at=now)
    gone = replace(
        absorbed,
        # its external id goes over to the survivor, or would still find the one that is gone
        content=replace(absorbed.content, external_id=None),
        status=PoiStatus.ARCHIVED,
        proposal=None,
        merged_into=survivor.id,
        version=absorbed.version + 1,
        updated_at=now,
        changed_at=now,
    )
    merge = Merge(
        id=merge_id,
        survivor=survivor.id,
        absorbed=absorbed.id,
        by=by,
        at=now,
        survivor_before=snapshot_of(survivor.content),
        survivor_after=snapshot_of(content),
        absorbed_before=snapshot_of(absorbed.content),
        absorbed_status=absorbed.status,
    )
    return after, gone, merge


def unmerged(survivor: Poi, absorbed: Poi, merge: Merge, now: datetime) -> tuple[Poi, Poi]:
    """The two as they were. What was changed of the survivor since the merge stays changed.

    Raises MERGE_UNDONE when it was undone, or the absorbed POI was brought back another way.
    """
    if merge.undone_at is not None or absorbed.merged_into != survivor.id:
        raise Refused(Code.MERGE_UNDONE)
    present = snapshot_of(survivor.content)
    back = {
        name: merge.survivor_before[name]
        for name, value in present.items()
        if value == merge.survivor_after[name]
    }
    apart = replace(
        survivor,
        content=content_of({**present, **back}),
        version=survivor.version + 1,
        updated_at=now,
        changed_at=now,
    )
    again = replace(
        absorbed,
        content=content_of(merge.absorbed_before),
        status=merge.absorbed_status,
        merged_into=None,
        version=absorbed.version + 1,
        updated_at=now,
        changed_at=now,
    )
    return apart, again


def _together(one: PoiContent, other: PoiContent) -> PoiContent:
    media = {image.media_id for image in one.images}
    return replace(
        one,
        names=_filled(one.names, other.names),
        summaries=_filled(one.summaries, other.summaries),
        descriptions=_filled(one.descriptions, other.descriptions),
        tags=tuple(dict.fromkeys((*one.tags, *other.tags)))[:MAX_TAGS],
        address=_without_gaps(one.address, other.address),
        contact=_without_gaps(one.contact, other.contact),
        opening_hours=one.opening_hours or other.opening_hours,
        price_range=one.price_range or other.price_range,
        images=(*one.images, *(each for each in other.images if each.media_id not in media))[:MAX_IMAGES],
        external_id=one.external_id or other.external_id,
    )


def _filled(texts: Texts, more: Texts) -> Texts:
    return {**more, **texts}


def _without_gaps(one: Any, other: Any) -> Any:
    gaps = {name: getattr(other, name) for name in one.__slots__ if getattr(one, name) is None}
    return replace(one, **gaps)
