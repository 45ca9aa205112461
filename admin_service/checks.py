"""The health checks of this service."""

from __future__ import annotations

from collections.abc import Callable

from admin_service.wiring import BREAKERS, Running
from common.monitoring import service_checks
from common.monitoring.checks import Check
from common.settings import Settings


def health_checks(settings: Settings, running: Callable[[], Running]) -> tuple[Check, ...]:
    """All of them; called in the master. `running`: what the process that checks stands on."""
    return service_checks.health_checks(settings, running, len(BREAKERS))
