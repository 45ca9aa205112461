"""The platform's configuration: shown, changed, put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from admin_service.actions.ports import Ports
from admin_service.domain.audit import AuditEvent, Origin
from admin_service.domain.configuration import (
    FIRST,
    ContradictsItself,
    Difference,
    Revision,
    Values,
    changed_values,
    check_together,
    differences,
)
from admin_service.domain.errors import Code, Refused
from common.pages import Page
from common.web.idempotency import Idempotency

SUBJECT = "config"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeConfig:
    """`values` by key, each checked already; None puts a key back to its default."""

    expected_revision: int
    values: Mapping[str, Any]
    reason: str
    origin: Origin
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """Have again what revision `to` said."""

    expected_revision: int
    to: int
    reason: str
    origin: Origin
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A revision, and what it says otherwise than the one before it."""

    revision: Revision
    differences: tuple[Difference, ...]


def show_config(ports: Ports) -> Revision:
    return ports.store.config.current()


def change_config(command: ChangeConfig, ports: Ports) -> Revision:
    """Raises VERSION_CONFLICT, CONFIG_CONTRADICTION, UNKNOWN_MEDIA (a logo that is none of our media)."""
    current = ports.store.config.current()
    values = changed_values(current.values, command.values)
    return _written(current, values, command, "config.update", ports)


def roll_back(command: RollBack, ports: Ports) -> Revision:
    """Raises REVISION_NOT_FOUND, VERSION_CONFLICT, CONFIG_CONTRADICTION, UNKNOWN_MEDIA."""
    current = ports.store.config.current()
    wanted = FIRST if command.to == 0 else ports.store.config.revision(command.to)
    if wanted is None:
        raise Refused(Code.REVISION_NOT_FOUND, pointer="/revision")
    return _written(current, wanted.values, command, "config.rollback", ports)


def show_history(limit: int, cursor: str | None, ports: Ports) -> Page[Told]:
    """Each change with what it changed, the newest first."""
    page = ports.store.config.page(limit, cursor)
    found = []
    for index, revision in enumerate(page.items):
        is_last = index + 1 == len(page.items)
        before = _before(revision, ports) if is_last else page.items[index + 1]
        found.append(Told(revision, differences(before, revision)))
    return Page(tuple(found), page.next_cursor)


def _before(revision: Revision, ports: Ports) -> Revision:
    return ports.store.config.revision(revision.number - 1) or FIRST


def _written(
    current: Revision, values: Values, command: ChangeConfig | RollBack, action: str, ports: Ports
) -> Revision:
    now = ports.clock()
    revision = Revision(
        number=command.expected_revision + 1,
        values=dict(values),
        changed_at=now,
        changed_by=command.origin.actor,
        reason=command.reason,
    )
    changed = differences(current, revision)
    revision = replace(revision, changed=tuple(each.key for each in changed))
    # A change of an older revision is for the store to refuse, or to answer as it did the first time.
    if current.number == command.expected_revision:
        _check(revision)
    event = AuditEvent(
        at=now,
        origin=command.origin,
        action=action,
        subject=SUBJECT,
        before={each.key: each.before for each in changed},
        after={each.key: each.after for each in changed},
    )
    return ports.store.config.change(revision, event, idempotency=command.idempotency)


def _check(revision: Revision) -> None:
    try:
        check_together(revision.effective)
    except ContradictsItself as error:
        raise Refused(Code.CONFIG_CONTRADICTION, error.detail, f"/values/{error.key}") from error
