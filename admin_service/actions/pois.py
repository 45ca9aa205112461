"""Points of interest: find, create, change, and take them through their workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from admin_service.actions.poi_drafts import changed_content, new_content
from admin_service.actions.ports import Ports
from admin_service.domain import workflow
from admin_service.domain.audit import Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.poi import Poi
from admin_service.domain.searching import PoiQuery
from admin_service.domain.snapshots import content_of
from admin_service.domain.workflow import Actor, HistoryEntry, Step
from admin_service.storage.ports.pois import PoiWrite
from common.identifiers import uuid7
from common.pages import Page
from common.web.idempotency import Idempotency


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who acts, and from where. `sees_all`: not only the account's own POIs."""

    actor: Actor
    origin: Origin
    sees_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePoi:
    """`content` are members of `PoiContent`."""

    by: By
    content: Mapping[str, Any]
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoi:
    """`changes` are members of `PoiContent`: all that a PUT names, or those that a PATCH replaces. A PUT is
    `whole`.
    """

    by: By
    poi_id: UUID
    expected_version: int
    changes: Mapping[str, Any]
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePoi:
    """Take the POI through one step of its workflow."""

    by: By
    poi_id: UUID
    expected_version: int
    step: Step
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPoi:
    by: By
    poi_id: UUID
    expected_version: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivePoi:
    """Make the account `owner` the POI's owner; None: nobody."""

    by: By
    poi_id: UUID
    expected_version: int
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePoi:
    """Make the content of an earlier version the content again."""

    by: By
    poi_id: UUID
    expected_version: int
    version: int


def search_pois(query: PoiQuery, ports: Ports) -> Page[Poi]:
    return ports.store.pois.search(query)


def shown_poi(poi_id: UUID, ports: Ports) -> Poi:
    """A POI for visitors. Raises POI_NOT_FOUND, also for one that they do not see."""
    poi = ports.store.pois.poi(poi_id)
    if poi is None or not poi.shown:
        raise Refused(Code.POI_NOT_FOUND)
    return poi


def managed_poi(poi_id: UUID, by: By, ports: Ports) -> Poi:
    """A POI for those who curate it. Raises POI_NOT_FOUND, also for one of another owner."""
    poi = ports.store.pois.poi(poi_id)
    if poi is None or not (by.sees_all or by.actor.owns(poi)):
        raise Refused(Code.POI_NOT_FOUND)
    return poi


def create_poi(command: CreatePoi, ports: Ports) -> Poi:
    """Raises as `poi_drafts.new_content`, and EXTERNAL_ID_TAKEN."""
    content = new_content(command.content, ports)
    poi = workflow.created(uuid7(), content, command.by.actor, ports.clock())
    write = write_of(None, poi, "created", command.by)
    return ports.store.pois.create(write, idempotency=command.idempotency)


def change_poi(command: ChangePoi, ports: Ports) -> Poi:
    """Replace the content, or some of its members; for an owner of what is published, propose it.

    Raises as `create_poi`, and POI_NOT_FOUND, VERSION_CONFLICT, POI_ARCHIVED.
    """
    current = _current(command.poi_id, command.expected_version, command.by, ports)
    before = workflow.seen_by_editor(current, command.by.actor)
    if command.whole:
        content = new_content(command.changes, ports)
    else:
        content = changed_content(before, command.changes, ports)
    after = workflow.edited(current, content, command.by.actor, ports.clock())
    return _written(current, after, workflow.action_of(current, after), command.by, ports)


def move_poi(command: MovePoi, ports: Ports) -> Poi:
    """Raises POI_NOT_FOUND, VERSION_CONFLICT, STEP_NOT_ALLOWED, NOTHING_TO_REVIEW."""
    current = _current(command.poi_id, command.expected_version, command.by, ports)
    after = workflow.moved(current, command.step, ports.clock())
    return _written(current, after, command.step.value, command.by, ports, command.reason)


def verify_poi(command: VerifyPoi, ports: Ports) -> Poi:
    """Raises POI_NOT_FOUND, VERSION_CONFLICT."""
    current = _current(command.poi_id, command.expected_version, command.by, ports)
    after = workflow.verified(current, command.by.actor, command.note, ports.clock())
    return _written(current, after, "verified", command.by, ports, command.note)


def give_poi(command: GivePoi, ports: Ports) -> Poi:
    """Raises POI_NOT_FOUND, VERSION_CONFLICT."""
    current = _current(command.poi_id, command.expected_version, command.by, ports)
    after = workflow.given(current, command.owner, ports.clock())
    return _written(current, after, "given", command.by, ports)


def history_of(poi_id: UUID, by: By, limit: int, cursor: str | None, ports: Ports) -> Page[HistoryEntry]:
    """The POI's versions, the newest first. Raises POI_NOT_FOUND."""
    managed_poi(poi_id, by, ports)
    return ports.store.pois.history(poi_id, limit, cursor)


def restore_poi(command: RestorePoi, ports: Ports) -> Poi:
    """Raises POI_NOT_FOUND, VERSION_CONFLICT, NOTHING_TO_RESTORE, POI_ARCHIVED, EXTERNAL_ID_TAKEN."""
    current = _current(command.poi_id, command.expected_version, command.by, ports)
    entry = ports.store.pois.version(command.poi_id, command.version)
    if entry is None:
        raise Refused(Code.NOTHING_TO_RESTORE, pointer="/version")
    after = workflow.edited(current, content_of(entry.snapshot), command.by.actor, ports.clock())
    action = "restored" if after.content != current.content else workflow.action_of(current, after)
    return _written(current, after, action, command.by, ports, f"version {command.version}")


def write_of(before: Poi | None, after: Poi, action: str, by: By, reason: str = "") -> PoiWrite:
    """What a store is to write: the POI, its history row and its audit event."""
    return PoiWrite(
        before=before,
        poi=after,
        entry=workflow.entry_of(after, action, by.actor.name, reason),
        event=workflow.event_of(before, after, action, by.origin, reason),
    )


def _current(poi_id: UUID, expected_version: int, by: By, ports: Ports) -> Poi:
    poi = managed_poi(poi_id, by, ports)
    if poi.version != expected_version:
        raise Refused(Code.VERSION_CONFLICT, facts={"version": poi.version})
    return poi


def _written(before: Poi, after: Poi, action: str, by: By, ports: Ports, reason: str = "") -> Poi:
    if after == before:
        return before
    return ports.store.pois.replace(write_of(before, after, action, by, reason))
