"""Metrics of one process, and what stands in the files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from common.coordination.embedded import EmbeddedCoordination
from ticketing_service.metrics import TicketingMetrics

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files are."""
    return tmp_path / "metrics" / "ticketing"


@pytest.fixture
def metrics(tmp_path: Path, clock: Clock) -> Iterator[TicketingMetrics]:
    """Attached, as in a worker."""
    made = TicketingMetrics(tmp_path, clock=clock)
    coordination = EmbeddedCoordination(tmp_path / "coordination")
    made.attach(coordination)
    yield made
    made.close()
    coordination.close()
