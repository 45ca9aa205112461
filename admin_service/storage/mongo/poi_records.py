"""POIs as documents, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from admin_service.domain.categories import group_of
from admin_service.domain.geo import cell_at
from admin_service.domain.merging import Merge
from admin_service.domain.poi import Poi, PoiStatus, Proposal, Verification
from admin_service.domain.searching import city_key, poi_words, sort_name, tag_word
from admin_service.domain.snapshots import content_of, snapshot_of
from admin_service.domain.workflow import HistoryEntry
from admin_service.storage.mongo.poi_collections import pois
from common.mongo.values import instant, ms

FIELDS = tuple(name for name in pois.fields if name != "words")
"""What `poi_of` reads; the words are many, and only their index reads them."""


def poi_document(poi: Poi) -> dict[str, Any]:
    """The whole document of the POI."""
    content = poi.content
    return {
        "_id": poi.id,
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
        "created_at": ms(poi.created_at),
        "updated_at": ms(poi.updated_at),
        "changed_at": ms(poi.changed_at),
        "content": snapshot_of(content),
        "verification": None if poi.verification is None else _verification(poi.verification),
        "proposal": None if poi.proposal is None else _proposal(poi.proposal),
        "words": sorted(poi_words(content) | {tag_word(tag) for tag in content.tags}),
    }


def poi_of(found: Mapping[str, Any]) -> Poi:
    """The POI of a document."""
    verification, proposal = found["verification"], found["proposal"]
    return Poi(
        id=found["_id"],
        content=content_of(found["content"]),
        status=PoiStatus(found["status"]),
        owner=found["owner"],
        version=found["version"],
        created_at=instant(found["created_at"]),
        updated_at=instant(found["updated_at"]),
        changed_at=instant(found["changed_at"]),
        verification=None if verification is None else _read_verification(verification),
        proposal=None if proposal is None else _read_proposal(proposal),
        merged_into=found["merged_into"],
    )


def entry_document(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "poi_id": entry.poi_id,
        "version": entry.version,
        "at": ms(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "reason": entry.reason,
        "status": entry.status.value,
        "snapshot": dict(entry.snapshot),
    }


def entry_of(found: Mapping[str, Any]) -> HistoryEntry:
    return HistoryEntry(
        poi_id=found["poi_id"],
        version=found["version"],
        at=instant(found["at"]),
        actor=found["actor"],
        action=found["action"],
        reason=found["reason"],
        status=PoiStatus(found["status"]),
        snapshot=found["snapshot"],
    )


def merge_document(merge: Merge) -> dict[str, Any]:
    return {
        "_id": merge.id,
        "survivor": merge.survivor,
        "absorbed": merge.absorbed,
        "by": merge.by,
        "at": ms(merge.at),
        "undone_at": ms(merge.undone_at),
        "survivor_before": dict(merge.survivor_before),
        "survivor_after": dict(merge.survivor_after),
        "absorbed_before": dict(merge.absorbed_before),
        "absorbed_status": merge.absorbed_status.value,
    }


def merge_of(found: Mapping[str, Any]) -> Merge:
    return Merge(
        id=found["_id"],
        survivor=found["survivor"],
        absorbed=found["absorbed"],
        by=found["by"],
        at=instant(found["at"]),
        undone_at=instant(found["undone_at"]),
        survivor_before=found["survivor_before"],
        survivor_after=found["survivor_after"],
        absorbed_before=found["absorbed_before"],
        absorbed_status=PoiStatus(found["absorbed_status"]),
    )


def media_of(poi: Poi) -> frozenset[UUID]:
    """The pictures that the POI, or what is proposed for it, shows."""
    shown = {image.media_id for image in poi.content.images}
    proposed = () if poi.proposal is None else poi.proposal.changes.get("images", ())
    return frozenset(shown | {UUID(image["mediaId"]) for image in proposed})


def _verification(verification: Verification) -> dict[str, Any]:
    return {"by": verification.by, "at": ms(verification.at), "note": verification.note}


def _read_verification(found: Mapping[str, Any]) -> Verification:
    return Verification(by=found["by"], at=instant(found["at"]), note=found["note"])


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {"changes": dict(proposal.changes), "by": proposal.by, "at": ms(proposal.at)}


def _read_proposal(found: Mapping[str, Any]) -> Proposal:
    return Proposal(changes=found["changes"], by=found["by"], at=instant(found["at"]))
