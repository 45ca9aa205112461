"""The course of a POI: draft, in review, published, closed for a time, archived; and who decides about what.

What the owner of a published POI changes becomes a proposal that waits for review, on every path by which a
POI can be changed: all of them come through `edited`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from admin_service.domain.audit import AuditEvent, Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.poi import APPROVED, Poi, PoiContent, PoiStatus, Proposal, Verification
from admin_service.domain.snapshots import changes_between, snapshot_of, with_changes


class Step(StrEnum):
    """What moves a POI on."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    PUBLISH = "publish"
    CLOSE = "close"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts. `name` is what the history says, `account` what owns POIs, `places` those that a credential
    names besides. `reviewed`: changes of what is published wait for review, and only the account's own POIs
    are within reach.
    """

    name: str
    account: str
    reviewed: bool
    places: frozenset[UUID] = frozenset()

    def owns(self, poi: Poi) -> bool:
        """Whether the POI is the account's own."""
        return poi.owner == self.account or poi.id in self.places


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One write: what the POI was after it. `action` is a `Step`, or created, changed, proposed, verified,
    restored, merged, unmerged, given.
    """

    poi_id: UUID
    version: int
    at: datetime
    actor: str
    action: str
    reason: str
    status: PoiStatus
    snapshot: Mapping[str, Any]


_FROM: Mapping[Step, tuple[PoiStatus, ...]] = {
    Step.SUBMIT: (PoiStatus.DRAFT,),
    Step.APPROVE: (PoiStatus.IN_REVIEW,),
    Step.REJECT: (PoiStatus.IN_REVIEW,),
    Step.PUBLISH: (
        PoiStatus.DRAFT,
        PoiStatus.IN_REVIEW,
        PoiStatus.CLOSED_TEMPORARILY,
        PoiStatus.ARCHIVED,
    ),
    Step.CLOSE: (PoiStatus.PUBLISHED,),
    Step.ARCHIVE: (
        PoiStatus.DRAFT,
        PoiStatus.IN_REVIEW,
        PoiStatus.PUBLISHED,
        PoiStatus.CLOSED_TEMPORARILY,
    ),
}
_TO: Mapping[Step, PoiStatus] = {
    Step.SUBMIT: PoiStatus.IN_REVIEW,
    Step.APPROVE: PoiStatus.PUBLISHED,
    Step.REJECT: PoiStatus.DRAFT,
    Step.PUBLISH: PoiStatus.PUBLISHED,
    Step.CLOSE: PoiStatus.CLOSED_TEMPORARILY,
    Step.ARCHIVE: PoiStatus.ARCHIVED,
}


def created(poi_id: UUID, content: PoiContent, actor: Actor, now: datetime) -> Poi:
    """A new POI: a draft, but for an owner's, which waits for review at once."""
    return Poi(
        id=poi_id,
        content=content,
        status=PoiStatus.IN_REVIEW if actor.reviewed else PoiStatus.DRAFT,
        owner=actor.account if actor.reviewed else None,
        version=1,
        created_at=now,
        updated_at=now,
        changed_at=now,
    )


def edited(poi: Poi, content: PoiContent, actor: Actor, now: datetime) -> Poi:
    """The POI with other content, or with a proposal of it. The same POI when nothing differs.

    Raises POI_ARCHIVED.
    """
    if poi.status is PoiStatus.ARCHIVED:
        raise Refused(Code.POI_ARCHIVED, "Publish it again first.")
    if actor.reviewed and poi.approved:
        return _proposed(poi, content, actor, now)
    if content == poi.content:
        return poi
    return _next(poi, now, content=content)


def seen_by_editor(poi: Poi, actor: Actor) -> PoiContent:
    """What an edit starts from: for those whose changes are reviewed, what they have proposed already."""
    if actor.reviewed and poi.proposal is not None:
        return with_changes(poi.content, poi.proposal.changes)
    return poi.content


def moved(poi: Poi, step: Step, now: datetime) -> Poi:
    """The POI after `step`. Raises STEP_NOT_ALLOWED, NOTHING_TO_REVIEW."""
    if step in (Step.APPROVE, Step.REJECT) and poi.proposal is not None and poi.approved:
        return _decided(poi, step, now)
    if poi.status not in _FROM[step]:
        if step in (Step.APPROVE, Step.REJECT):
            raise Refused(Code.NOTHING_TO_REVIEW, facts={"poiStatus": poi.status.value})
        raise Refused(
            Code.STEP_NOT_ALLOWED,
            f"One that is {poi.status.value} cannot be taken through {step.value}.",
            facts={"poiStatus": poi.status.value},
        )
    # a proposal is one for what was approved: it ends with that
    proposal = poi.proposal if _TO[step] in APPROVED else None
    return _next(poi, now, status=_TO[step], proposal=proposal, merged_into=None)


def verified(poi: Poi, actor: Actor, note: str, now: datetime) -> Poi:
    """The POI with the word of somebody who has made sure of it."""
    return _next(poi, now, verification=Verification(by=actor.name, at=now, note=note))


def given(poi: Poi, owner: str | None, now: datetime) -> Poi:
    """The POI with another owner, or none."""
    return replace(poi, owner=owner, version=poi.version + 1, updated_at=now)


def entry_of(poi: Poi, action: str, actor: str, reason: str = "") -> HistoryEntry:
    """The row of the history that says how `poi` came to be as it is."""
    content = poi.content
    if action == "proposed" and poi.proposal is not None:
        content = with_changes(content, poi.proposal.changes)
    return HistoryEntry(
        poi_id=poi.id,
        version=poi.version,
        at=poi.updated_at,
        actor=actor,
        action=action,
        reason=reason,
        status=poi.status,
        snapshot=snapshot_of(content),
    )


def event_of(before: Poi | None, after: Poi, action: str, origin: Origin, reason: str = "") -> AuditEvent:
    """What the audit trail says of a write: what is other now, and not the whole POI."""
    old = None if before is None else _facts(before)
    new = _facts(after)
    changed = {name: value for name, value in new.items() if old is None or old[name] != value}
    return AuditEvent(
        at=after.updated_at,
        origin=origin,
        action=f"pois.{action}",
        subject=str(after.id),
        before={} if old is None else {name: old[name] for name in changed},
        after={**changed, **({"reason": reason} if reason else {})},
    )


def _facts(poi: Poi) -> dict[str, Any]:
    return {
        **snapshot_of(poi.content),
        "status": poi.status.value,
        "owner": poi.owner,
        "proposal": None if poi.proposal is None else dict(poi.proposal.changes),
        "verifiedBy": None if poi.verification is None else poi.verification.by,
        "mergedInto": None if poi.merged_into is None else str(poi.merged_into),
    }


def action_of(before: Poi, after: Poi) -> str:
    """What `edited` did."""
    return "changed" if before.content != after.content else "proposed"


def _proposed(poi: Poi, content: PoiContent, actor: Actor, now: datetime) -> Poi:
    changes = changes_between(poi.content, content)
    if changes == (poi.proposal.changes if poi.proposal is not None else {}):
        return poi
    proposal = Proposal(changes=changes, by=actor.name, at=now) if changes else None
    return replace(poi, proposal=proposal, version=poi.version + 1, updated_at=now)


def _decided(poi: Poi, step: Step, now: datetime) -> Poi:
    assert poi.proposal is not None  # noqa: S101 the caller has looked
    if step is Step.REJECT:
        return replace(poi, proposal=None, version=poi.version + 1, updated_at=now)
    return _next(poi, now, content=with_changes(poi.content, poi.proposal.changes), proposal=None)


def _next(poi: Poi, now: datetime, **changes: Any) -> Poi:
    return replace(poi, version=poi.version + 1, updated_at=now, changed_at=now, **changes)
