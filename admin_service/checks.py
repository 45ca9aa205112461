"""The health checks of this service."""

from __future__ import annotations

from collections.abc import Callable

from admin_service.actions.backups import show_backups
from admin_service.wiring import BREAKERS, Running
from common.backups.state import LATE
from common.monitoring import service_checks
from common.monitoring.checks import Check, Result
from common.settings import Settings


def health_checks(settings: Settings, running: Callable[[], Running]) -> tuple[Check, ...]:
    """All of them; called in the master. `running`: what the process that checks stands on."""
    checks = service_checks.health_checks(settings, running, len(BREAKERS))
    return (*checks, backup_check(running)) if settings.backup_repository else checks


def backup_check(running: Callable[[], Running]) -> Check:
    """Degraded when the last good backup is older than 26 hours, and when the last drill failed."""

    def run() -> Result:
        found = show_backups(running().ports)
        age, drill = found.age_seconds, found.state.get("drill") or {}
        late = age is None or age > LATE.total_seconds()
        failed = not drill.get("ok", True)
        detail = {
            "repository": found.repository,
            "lastFault": (found.state.get("last") or {}).get("fault", ""),
            "drillFault": drill.get("fault", ""),
        }
        facts = {"ageSeconds": age, "drill": None if not drill else "failed" if failed else "passed"}
        return Result("degraded" if late or failed else "healthy", facts, detail)

    return Check(name="backup", run=run, first={"ageSeconds": None, "drill": None})
