"""The admin worker makes backups by itself, says how they went, and ends with all that it has begun."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from backups.plan import TAG
from common.backups.restic import Repository, Restic
from common.backups.state import read_state
from tests.backups.conftest import settings_of_backups
from tests.http.admin.desk import Desk
from tests.servers.process import Process, descendants, eventually, is_alive


@pytest.mark.timeout(600)  # several processes start, on a machine that may be busy
def test_the_worker_makes_one_at_once_and_everybody_can_see_it(
    files: dict[str, str], repository: Repository, restic: Restic
) -> None:
    folder = Path(files["DATA_DIR"])
    settings = {**settings_of_backups(repository), **files, "LOG_LEVEL": "info"}
    worker = Process([sys.executable, "-m", "admin_service.worker"], env=settings, name="admin-worker")
    desk = Desk(
        folder,
        f"sqlite:///{folder}/admin.sqlite3",
        BACKUP_REPOSITORY=repository.location,
        BACKUP_PASSWORD=repository.password,
    )
    with worker:
        worker.wait_until(
            lambda: bool((read_state(folder / "backups") or {}).get("good")), seconds=180, what="done with it"
        )
        (snapshot,) = restic.snapshots(TAG)
        # the drill follows by itself
        eventually(lambda: desk.ports.backups.state().get("underWay") == "drill", seconds=60, what="a drill")
        begun = descendants(worker.pid)
        assert begun
        shown = desk.call("GET", "/system/backups", role="operator").json
        assert snapshot.id.startswith(shown["lastGood"]["snapshot"])
        text = desk.call("GET", "/monitoring/metrics/prometheus").text
        found = re.search(r"^admin_backup_last_success_timestamp_seconds (\S+)$", text, re.MULTILINE)
        assert found is not None
        assert abs(float(found[1]) - snapshot.at.timestamp()) < 120
        assert re.search(r"^admin_backup_last_result 1.0$", text, re.MULTILINE)
        assert worker.stop(seconds=60) == 0
    desk.close()
    eventually(lambda: not any(is_alive(pid) for pid in begun), seconds=60, what="the end of all it began")
    assert repository.password not in worker.output()
