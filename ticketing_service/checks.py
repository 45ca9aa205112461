"""The health checks of this service."""

from __future__ import annotations

from collections.abc import Callable

from common.monitoring import service_checks
from common.monitoring.checks import Check
from common.settings import Settings
from ticketing_service.wiring import BREAKERS, Running


def health_checks(settings: Settings, running: Callable[[], Running]) -> tuple[Check, ...]:
    """All of them; called in the master. `running`: what the process that checks stands on."""
    return service_checks.health_checks(settings, running, len(BREAKERS))
