"""Backups over HTTP: what operators see, and what they may ask for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from common.web.schemas import instant_text
from tests.http.admin.desk import Desk, refusal
from tests.servers.process import eventually


@pytest.fixture
def backed_up(tmp_path: Path):
    desk = Desk(
        tmp_path,
        f"sqlite:///{tmp_path / 'admin.db'}",
        BACKUP_REPOSITORY="rest:https://ann:secret@vault.test/",
        BACKUP_PASSWORD="a password of some length",
        OPERATOR_KEY="k" * 32,
    )
    yield desk
    desk.close()


def test_without_a_repository_there_is_nothing_to_see_and_nothing_to_ask_for(desk: Desk) -> None:
    shown = desk.call("GET", "/system/backups", role="operator").json
    assert (shown["configured"], shown["lastGood"], shown["drill"], shown["ageSeconds"]) == (
        False,
        None,
        None,
        None,
    )
    for path in ("/system/backups", "/system/restore-drill"):
        assert refusal(desk.call("POST", path, role="operator")) == (409, "BACKUPS_NOT_CONFIGURED")
    assert "backup" not in desk.call("GET", "/monitoring/health").json["checks"]


def test_the_last_ones_and_the_report_of_the_drill_are_shown(backed_up: Desk) -> None:
    desk = backed_up
    now = desk.clock.now
    made_at, began_at = (instant_text(now - timedelta(hours=hours)) for hours in (2, 3))
    outcome = {
        "ok": True, "at": made_at, "startedAt": began_at,
        "snapshot": "1a2b3c4d", "seconds": 12.5, "rows": 7, "bytes": 9, "files": 1,
        "versions": {"admin": "1"}, "fault": "", "repository": "elsewhere",
    }  # fmt: skip
    failed = {
        "ok": False,
        "at": instant_text(now),
        "startedAt": instant_text(now),
        "fault": "the disk is full",
    }
    step = {"name": "make a sale", "ok": True, "seconds": 1.5, "result": "sold"}
    report = {
        "ok": True, "at": instant_text(now), "startedAt": began_at, "snapshot": "1a2b", "steps": [step],
        "backupAt": instant_text(now), "rows": 7, "fault": "",
    }  # fmt: skip
    desk.ports.backups.publish(
        {"last": failed, "good": outcome, "drill": report, "goodDrill": report, "underWay": "take"}
    )
    shown = desk.call("GET", "/system/backups", role="operator").json
    assert shown["repository"] == "rest:https://***@vault.test/"
    assert (shown["ageSeconds"], shown["underWay"], shown["hour"]) == (7200.0, "take", 3)
    assert (shown["last"]["ok"], shown["last"]["fault"]) == (False, "the disk is full")
    assert (shown["lastGood"]["snapshot"], shown["lastGood"]["rows"]) == ("1a2b3c4d", 7)
    assert shown["drill"]["steps"] == [step]
    assert shown["lastGoodDrillAt"] == instant_text(now)


@pytest.mark.parametrize(
    "path, what, action",
    [
        ("/system/backups", "take", "system.backup"),
        ("/system/restore-drill", "drill", "system.restore-drill"),
    ],
)
def test_the_worker_is_asked_and_it_is_noted_who_did(
    backed_up: Desk, path: str, what: str, action: str
) -> None:
    desk = backed_up
    assert desk.call("POST", path, role="operator").status_code == 202
    assert desk.ports.backups.asked() == what
    (entry,) = desk.call("GET", f"/audit?action={action}", role="platform_admin").json["data"]
    assert entry["action"] == action


def test_health_says_how_old_the_last_good_one_is_and_operators_see_why(backed_up: Desk) -> None:
    desk = backed_up

    def publish(hours: float, drill_ok: bool) -> None:
        at = instant_text(desk.clock.now - timedelta(hours=hours))
        outcome = {"ok": True, "at": at, "startedAt": at}
        drill = {"ok": drill_ok, "at": at, "fault": "" if drill_ok else "counter differs"}
        desk.ports.backups.publish({"last": outcome, "good": outcome, "drill": drill})

    def is_shown(status: str, drill: str | None, age: float | None) -> None:
        def seen() -> bool:
            found = desk.call("GET", "/monitoring/health").json["checks"]["backup"]
            return found == {"status": status, "ageSeconds": age, "drill": drill}

        eventually(seen, seconds=60, what=f"backup {status}, {drill}, {age}")

    is_shown("degraded", None, None)
    publish(25, True)
    is_shown("healthy", "passed", 25 * 3600.0)
    publish(27, True)
    is_shown("degraded", "passed", 27 * 3600.0)
    publish(1, False)
    is_shown("degraded", "failed", 3600.0)
    headers = {"Authorization": f"Bearer {'k' * 32}"}
    found = desk.call("GET", "/monitoring/health", headers=headers).json["checks"]["backup"]
    assert found["drillFault"] == "counter differs"
