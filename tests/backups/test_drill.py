"""The drill: what it proves, and what it does not let pass."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from backups.drill import drill
from backups.plan import Place
from backups.taking import take
from common.backups.restic import Repository, Restic
from common.backups.state import note_backup, read_state
from common.database.engine import Database
from tests.backups.conftest import quiet, settings_of_backups
from tests.backups.selling import sell
from tests.backups.test_consistency import ticketing_url
from tests.beneath import open_beneath
from tests.contract.builders import make_poi
from tests.invariants.destination import open_destination
from tests.servers.process import ROOT, descendants
from tests.servers.secantus import path_with_mongod
from ticketing_service.storage.opening import open_store
from ticketing_service.storage.sql import schema


def shop(place: Place) -> None:
    """Five tickets on sale, at places that are known, and some of them sold."""
    store = open_store(ticketing_url(place))
    try:
        destination = open_destination(store, capacity=1000, max_uses=5)
        with closing(open_beneath(ticketing_url(place))) as beneath:
            tickets = beneath.tables("tickets")["tickets"]
        store.catalogue.put_pois([make_poi(id=ticket.poi_id) for ticket in tickets])
        for number in range(20):
            sell(store, destination.items(random.Random(number)))
    finally:
        store.close()


def failed(report: dict[str, Any]) -> str:
    """The step that a drill ended with."""
    assert not report["ok"]
    assert [step["ok"] for step in report["steps"]] == [True] * (len(report["steps"]) - 1) + [False]
    return str(report["steps"][-1]["name"])


@pytest.mark.timeout(900)  # a dozen processes start, on a machine that may be busy
def test_the_newest_backup_is_a_shop_that_sells(
    place: Place, environment: dict[str, str], restic: Restic, repository: Repository, tmp_path: Path
) -> None:
    shop(place)
    taken = take(place, restic, quiet)
    before = _services()
    command = [sys.executable, "-m", "backups", "drill"]
    # what this installation is told must reach nobody in the drill
    theirs = {
        "SMTP_URL": "smtp://127.0.0.1:1",
        "PAYMENT_API_URL": "http://127.0.0.1:1",
        "REDIS_HOST": "127.0.0.1",
        "PATH": path_with_mongod(tmp_path),
    }
    done = subprocess.run(
        command,
        env={**settings_of_backups(repository), **environment, **theirs},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    state = read_state(place.folder)
    assert state is not None
    report = state["drill"]
    assert report["ok"]
    assert report == state["goodDrill"]
    assert report["snapshot"].startswith(taken.snapshot_id)
    assert report["rows"] == taken.manifest.rows
    results = {step["name"]: step["result"] for step in report["steps"]}
    assert len(results) == 8
    assert "9 of 10 places are left" in results["make a sale"]
    assert "Counters are what their bookings add up to" in results["check the invariants again"]
    # nothing is left of it, and the shop itself was not touched
    assert {path.name for path in place.folder.iterdir()} <= {".lock", "state.json", "cache"}
    assert _services() <= before
    again = take(place, restic, quiet).manifest
    assert [each.tables for each in again.databases] == [each.tables for each in taken.manifest.databases]


def _services() -> set[int]:
    """Those below this process; other tests have some, too."""
    found = set()
    for pid in descendants(os.getpid()):
        with suppress(OSError):
            if b"gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
    return found


def test_counters_that_are_wrong_are_not_let_pass(small: Place, restic: Restic) -> None:
    shop(small)
    database = Database(ticketing_url(small), threads=1)
    with database.engine.connect() as connection:
        connection.execute(update(schema.counters).values(held=schema.counters.c.held + 1))
        connection.commit()
    database.close()
    take(small, restic, quiet)
    report = drill(small, restic, quiet)
    assert failed(report) == "check the invariants"
    assert "counter differs from its claims" in report["fault"]


def test_one_flipped_byte_is_found_before_anything_is_restored(
    small: Place, restic: Restic, repository: Repository
) -> None:
    take(small, restic, quiet)
    pack = next(path for path in (Path(repository.location) / "data").rglob("*") if path.is_file())
    content = bytearray(pack.read_bytes())
    content[-40] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(content)
    report = drill(small, restic, quiet)
    assert failed(report) == "read all of the repository"
    assert pack.name in report["fault"]


@pytest.mark.parametrize("noted", [{"ok": True, "at": "2026-11-27T03:00", "snapshot": "f" * 8}])
def test_a_backup_that_is_not_there_any_more_is_missed(
    small: Place, restic: Restic, noted: dict[str, Any]
) -> None:
    take(small, restic, quiet)
    note_backup(small.folder, noted)
    report = drill(small, restic, quiet)
    assert failed(report) == "read all of the repository"
    assert "the backup ffffffff of 2026-11-27T03:00 is not in" in report["fault"]
