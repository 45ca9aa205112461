"""POIs as rows, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from admin_service.domain.categories import group_of
from admin_service.domain.geo import cell_at
from admin_service.domain.merging import Merge
from admin_service.domain.poi import Poi, PoiStatus, Proposal, Verification
from admin_service.domain.searching import city_key, sort_name
from admin_service.domain.snapshots import content_of, snapshot_of
from admin_service.domain.workflow import HistoryEntry
from admin_service.storage.sql import poi_tables as tables

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
COLUMNS = tuple(tables.pois.c)
"""What `poi_of` reads."""


def poi_row(poi: Poi) -> dict[str, Any]:
    """All columns of the POI's row."""
    content = poi.content
    return {
        "id": poi.id,
        "external_id": content.external_id,
        "owner": poi.owner,
        "status": poi.status.value,
        "category": content.category,
        "category_group": group_of(content.category),
        "city_key": city_key(content.address.city),
        "sort_name": sort_name(content),
        "latitude": content.point.latitude,
        "longitude": content.point.longitude,
        "cell": cell_at(content.point),
        "waiting": poi.status is PoiStatus.IN_REVIEW or poi.proposal is not None,
        "merged_into": poi.merged_into,
        "version": poi.version,
        "created_at": poi.created_at,
        "updated_at": poi.updated_at,
        "changed_at": poi.changed_at,
        "body": {
            "content": snapshot_of(content),
            "verification": None if poi.verification is None else _verification(poi.verification),
            "proposal": None if poi.proposal is None else _proposal(poi.proposal),
        },
    }


def poi_of(row: Row[Any]) -> Poi:
    """The POI of a row of `COLUMNS`."""
    body = row.body
    verification, proposal = body["verification"], body["proposal"]
    return Poi(
        id=row.id,
        content=content_of(body["content"]),
        status=PoiStatus(row.status),
        owner=row.owner,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        changed_at=row.changed_at,
        verification=None if verification is None else _read_verification(verification),
        proposal=None if proposal is None else _read_proposal(proposal),
        merged_into=row.merged_into,
    )


def entry_row(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "poi_id": entry.poi_id,
        "version": entry.version,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "reason": entry.reason,
        "status": entry.status.value,
        "snapshot": dict(entry.snapshot),
    }


def entry_of(row: Row[Any]) -> HistoryEntry:
    return HistoryEntry(
        poi_id=row.poi_id,
        version=row.version,
        at=row.at,
        actor=row.actor,
        action=row.action,
        reason=row.reason,
        status=PoiStatus(row.status),
        snapshot=row.snapshot,
    )


def merge_row(merge: Merge) -> dict[str, Any]:
    return {
        "id": merge.id,
        "survivor": merge.survivor,
        "absorbed": merge.absorbed,
        "by": merge.by,
        "at": merge.at,
        "undone_at": merge.undone_at,
        "body": {
            "survivorBefore": dict(merge.survivor_before),
            "survivorAfter": dict(merge.survivor_after),
            "absorbedBefore": dict(merge.absorbed_before),
            "absorbedStatus": merge.absorbed_status.value,
        },
    }


def merge_of(row: Row[Any]) -> Merge:
    return Merge(
        id=row.id,
        survivor=row.survivor,
        absorbed=row.absorbed,
        by=row.by,
        at=row.at,
        undone_at=row.undone_at,
        survivor_before=row.body["survivorBefore"],
        survivor_after=row.body["survivorAfter"],
        absorbed_before=row.body["absorbedBefore"],
        absorbed_status=PoiStatus(row.body["absorbedStatus"]),
    )


def media_of(poi: Poi) -> frozenset[UUID]:
    """The pictures that the POI, or what is proposed for it, shows."""
    shown = {image.media_id for image in poi.content.images}
    proposed = () if poi.proposal is None else poi.proposal.changes.get("images", ())
    return frozenset(shown | {UUID(image["mediaId"]) for image in proposed})


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - _EPOCH) // _MILLISECOND


def instant(count: int) -> datetime:
    """What `milliseconds` was given. Raises OverflowError."""
    return _EPOCH + count * _MILLISECOND


def _verification(verification: Verification) -> dict[str, Any]:
    return {"by": verification.by, "at": milliseconds(verification.at), "note": verification.note}


def _read_verification(data: Mapping[str, Any]) -> Verification:
    return Verification(by=data["by"], at=instant(data["at"]), note=data["note"])


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {"changes": dict(proposal.changes), "by": proposal.by, "at": milliseconds(proposal.at)}


def _read_proposal(data: Mapping[str, Any]) -> Proposal:
    return Proposal(changes=data["changes"], by=data["by"], at=instant(data["at"]))
