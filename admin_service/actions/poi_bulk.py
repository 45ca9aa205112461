"""Many POIs at once: each by the rules of one, with a result of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from admin_service.actions.pois import (
    By,
    ChangePoi,
    MovePoi,
    VerifyPoi,
    change_poi,
    managed_poi,
    move_poi,
    verify_poi,
)
from admin_service.actions.ports import Ports
from admin_service.domain.errors import Code, Refused
from admin_service.domain.poi import Poi
from admin_service.domain.workflow import Step
from common.database import StoreUnavailable


class BulkAction(StrEnum):
    """A `Step`, or what can be done besides."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    PUBLISH = "publish"
    CLOSE = "close"
    ARCHIVE = "archive"
    VERIFY = "verify"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class BulkItem:
    """`version`: what the POI must still be; None: whatever it is."""

    poi_id: UUID
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPois:
    """`changes` are for CHANGE, members of `PoiContent`."""

    by: By
    action: BulkAction
    items: tuple[BulkItem, ...]
    reason: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The POI as it is now, or why it is not as it was to be."""

    poi_id: UUID
    poi: Poi | None
    refusal: Refused | None


def bulk(command: BulkPois, ports: Ports) -> tuple[ItemResult, ...]:
    """One result an item, in their order; a refused one keeps no other from being done."""
    return tuple(_result(command, item, ports) for item in command.items)


def _result(command: BulkPois, item: BulkItem, ports: Ports) -> ItemResult:
    try:
        return ItemResult(item.poi_id, _done(command, item, ports), None)
    except Refused as refused:
        return ItemResult(item.poi_id, None, refused)
    except StoreUnavailable:
        return ItemResult(item.poi_id, None, Refused(Code.STORE_UNAVAILABLE))


def _done(command: BulkPois, item: BulkItem, ports: Ports) -> Poi:
    version = item.version
    if version is None:
        version = managed_poi(item.poi_id, command.by, ports).version
    what: dict[str, Any] = {"by": command.by, "poi_id": item.poi_id, "expected_version": version}
    if command.action is BulkAction.CHANGE:
        return change_poi(ChangePoi(**what, changes=command.changes, whole=False), ports)
    if command.action is BulkAction.VERIFY:
        return verify_poi(VerifyPoi(**what, note=command.reason), ports)
    return move_poi(MovePoi(**what, step=Step(command.action.value), reason=command.reason), ports)
