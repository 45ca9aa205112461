"""Backups and drills, for who operates the system. The worker makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from admin_service.actions.ports import Ports
from admin_service.domain.audit import AuditEvent, Origin
from admin_service.domain.errors import Code, Refused
from common.backups.desk import What
from common.backups.state import moment_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups:
    """How it is with backups. `age_seconds`: since the last good one; None for never. `state`: as the worker
    has noted it.
    """

    configured: bool
    repository: str
    hour: int
    age_seconds: float | None
    state: Mapping[str, Any]


def show_backups(ports: Ports) -> Backups:
    desk, state = ports.backups, ports.backups.state()
    good = moment_of(state.get("good"))
    age = None if good is None else max(0.0, (ports.clock() - good).total_seconds())
    return Backups(
        configured=desk.configured, repository=desk.repository, hour=desk.hour, age_seconds=age, state=state
    )


def ask_for(what: What, origin: Origin, ports: Ports) -> None:
    """Have the worker make a backup, or a drill, now. Raises BACKUPS_NOT_CONFIGURED."""
    if not ports.backups.configured:
        raise Refused(Code.BACKUPS_NOT_CONFIGURED)
    action = {"take": "system.backup", "drill": "system.restore-drill"}[what]
    ports.store.audit.append(AuditEvent(at=ports.clock(), origin=origin, action=action, subject="system"))
    ports.backups.ask(what)
