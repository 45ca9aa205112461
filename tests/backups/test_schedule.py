"""When something is due, and what becomes of it; by a clock of the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.backups.desk import BackupDesk
from common.backups.schedule import Command, Schedule, due
from common.backups.state import note_backup, note_drill, read_state
from common.coordination.embedded import EmbeddedCoordination
from common.web.schemas import instant_text

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
HOUR = 3


def ended(hours_ago: float, *, ok: bool = True) -> dict[str, Any]:
    return {"ok": ok, "at": instant_text(NOW - timedelta(hours=hours_ago))}


@pytest.mark.parametrize(
    "state, tried, wanted",
    [
        (None, {}, "status"),
        (None, {"status": 0.1}, "take"),
        ({}, {}, "take"),
        ({"good": ended(8.9), "drill": ended(24 * 6)}, {}, None),
        # made before three o'clock
        ({"good": ended(9.1), "drill": ended(24 * 6)}, {}, "take"),
        ({"good": ended(9.1), "drill": ended(24 * 6)}, {"take": 0.9}, None),
        ({"good": ended(9.1), "drill": ended(24 * 6)}, {"take": 1.1}, "take"),
        ({"good": ended(1)}, {}, "drill"),
        ({"good": ended(1), "drill": ended(24 * 7)}, {}, "drill"),
        ({"good": ended(1), "drill": ended(24 * 7)}, {"drill": 0.5}, None),
        ({"good": ended(1), "drill": ended(23, ok=False)}, {}, None),
        ({"good": ended(1), "drill": ended(24, ok=False)}, {}, "drill"),
    ],
)
def test_what_is_due(state: dict[str, Any] | None, tried: dict[str, float], wanted: str | None) -> None:
    began = {command: NOW - timedelta(hours=hours) for command, hours in tried.items()}
    assert due(state, NOW, HOUR, began) == wanted


class FakeRun:
    """A command that ends when the test says so."""

    def __init__(self) -> None:
        self.ended_with: int | None = None
        self.stopped = False

    def status(self) -> int | None:
        return self.ended_with

    def last_words(self) -> str:
        return "take: the disk is full"

    def stop(self) -> None:
        self.stopped = True


class Office:
    """A schedule with its surroundings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "backups"
        self.folder.mkdir()
        self.now = NOW
        self.runs: list[tuple[Command, FakeRun]] = []
        self.watched: list[Mapping[str, Any]] = []
        self.coordination = EmbeddedCoordination(folder / "coordination")
        self.desk = BackupDesk(coordination=self.coordination, repository="/vault", hour=HOUR)
        self.schedule = Schedule(
            self.folder, self.desk, lambda: self.now, self.watched.append, launch=self._launch
        )

    def _launch(self, command: Command) -> FakeRun:
        self.runs.append((command, FakeRun()))
        return self.runs[-1][1]

    def end(self, status: int) -> None:
        self.runs[-1][1].ended_with = status
        self.now += timedelta(minutes=1)
        self.schedule.look()

    @property
    def begun(self) -> list[str]:
        return [command for command, _ in self.runs]


@pytest.fixture
def office(tmp_path: Path):
    made = Office(tmp_path)
    yield made
    made.coordination.close()


def test_one_thing_at_a_time_and_all_processes_know(office: Office) -> None:
    office.schedule.look()
    office.schedule.look()
    assert office.begun == ["status"]
    office.end(1)
    assert office.begun == ["status", "take"]
    assert office.desk.state()["underWay"] == "take"
    note_backup(office.folder, {"ok": True, "at": instant_text(office.now)})
    office.end(0)
    assert office.begun == ["status", "take", "drill"]
    note_drill(office.folder, {"ok": True, "at": instant_text(office.now)})
    office.end(0)
    assert office.begun == ["status", "take", "drill"]
    state = office.desk.state()
    assert (state["underWay"], state["good"]["ok"], state["goodDrill"]["ok"]) == (None, True, True)
    assert office.watched[-1]["good"]["ok"]


def test_one_that_died_without_a_word_is_a_failure_and_is_tried_again(office: Office) -> None:
    note_backup(office.folder, {**ended(30), "repository": "/vault"})
    office.schedule.look()
    assert office.begun == ["take"]
    office.end(-9)
    state = read_state(office.folder)
    assert state is not None
    assert (state["last"]["ok"], state["last"]["fault"]) == (False, "take: the disk is full")
    assert state["good"]["ok"]
    # meanwhile the backup that there is may be proven
    assert office.begun == ["take", "drill"]
    office.end(-9)
    assert office.begun == ["take", "drill"]
    office.now += timedelta(hours=1)
    office.schedule.look()
    assert office.begun == ["take", "drill", "take"]


def test_what_was_asked_for_is_done_once(office: Office) -> None:
    note_backup(office.folder, ended(1))
    note_drill(office.folder, ended(1))
    office.schedule.look()
    assert office.begun == []
    office.desk.ask("drill")
    office.schedule.look()
    office.end(0)
    assert office.begun == ["drill"]


def test_what_is_under_way_ends_with_the_worker(office: Office) -> None:
    office.schedule.look()
    office.schedule.stop()
    assert office.runs[0][1].stopped
