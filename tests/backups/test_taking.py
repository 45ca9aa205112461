"""What goes into a backup, and what must not come out on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backups.plan import TAG, Place, place_of
from backups.restoring import restore
from backups.taking import take
from common.backups.database import REVISION_TABLE
from common.backups.faults import BackupFault
from common.backups.restic import Repository, Restic, Retention
from common.backups.state import note_backup, read_state
from common.backups.trees import link_tree
from tests.backups.conftest import PASSWORD, quiet, settings_of_backups
from tests.servers.process import ROOT, eventually

SPYING = """#!/bin/sh
tr '\\0' ' ' < /proc/$$/cmdline >> {log}
echo >> {log}
PATH={path} exec {name} "$@"
"""


def test_media_and_keys_come_back_as_they_were(small: Place, restic: Restic, tmp_path: Path) -> None:
    (small.data_dir / "media" / ".drafts").mkdir()
    (small.data_dir / "media" / ".drafts" / "half").write_text("not yet")
    taken = take(small, restic, quiet)
    there = place_of({"DATA_DIR": str(tmp_path / "there")})
    restore(there, restic, taken.snapshot_id, quiet)
    assert (there.data_dir / "media" / "ab" / "a.png").read_text() == "picture"
    assert [path.name for path in (there.data_dir / "media").iterdir()] == ["ab"]
    for number, text in (("1", "first"), ("2", "second")):
        key = there.data_dir / "keys" / "x" / number
        assert key.read_text() == text
        assert key.stat().st_mode & 0o777 == 0o600
    assert (there.data_dir / "ticketing.sqlite3").stat().st_mode & 0o777 == 0o600


def test_the_manifest_says_what_there_is(place: Place, restic: Restic) -> None:
    manifest = take(place, restic, quiet).manifest
    revisions = {name: each for database in manifest.databases for name, each in database.revisions.items()}
    assert revisions.keys() == {"ticketing", "admin"} == manifest.versions.keys()
    assert all(revisions.values())
    for database in manifest.databases:
        for service in database.services:
            assert f"{service}_outbox" in database.tables
            version = "schema" if database.kind == "mongodb" else REVISION_TABLE
            assert database.tables[f"{service}_{version}"].rows == 1
        assert all(len(table.digest) == 32 for table in database.tables.values())
        assert database.server


def test_a_second_link_of_the_media_adds_what_came_and_keeps_what_went(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "goes").write_text("1")
    link_tree(source, target)
    (source / "goes").unlink()
    (source / "comes").write_text("2")
    link_tree(source, target)
    assert {path.name: path.read_text() for path in target.iterdir()} == {"goes": "1", "comes": "2"}


def test_no_password_is_in_the_list_of_processes(
    environment: dict[str, str], repository: Repository, tmp_path: Path
) -> None:
    folder, log = tmp_path / "spies", tmp_path / "seen"
    folder.mkdir()
    for name in ("restic", "mariadb-dump"):
        spy = folder / name
        spy.write_text(SPYING.format(log=log, path=os.environ["PATH"], name=name))
        spy.chmod(0o755)
    command = [sys.executable, "-m", "backups", "take"]
    settings = {**settings_of_backups(repository), **environment, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(command, env=settings, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = log.read_text()
    assert "restic backup" in seen
    assert ("mariadb-dump" in seen) == environment.get("DATABASE_URL", "").startswith("mysql")
    assert PASSWORD not in seen
    assert "ticketing-test" not in seen
    state = read_state(Path(environment["DATA_DIR"]) / "backups")
    assert state is not None
    assert state["good"]["ok"]
    assert PASSWORD not in str(state)
    assert not (Path(environment["DATA_DIR"]) / "backups" / "staging").exists()


def test_old_backups_go_and_the_last_of_days_weeks_and_months_stay(
    restic: Restic, repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "content").write_text("the same")
    newest = datetime(2026, 11, 25, 3, tzinfo=UTC)
    days = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 60, 500]
    environment = {
        **os.environ, "RESTIC_REPOSITORY": repository.location, "RESTIC_PASSWORD": PASSWORD,
    }  # fmt: skip
    for day in days:
        moment = f"{newest - timedelta(days=day):%Y-%m-%d %H:%M:%S}"
        words = ["restic", "backup", "--quiet", "--no-cache", "--tag", TAG, "--time", moment, "content"]
        subprocess.run(words, env=environment, cwd=tmp_path, check=True)
    restic.forget(TAG, Retention())
    kept = {(newest.date() - each.at.date()).days for each in restic.snapshots(TAG)}
    # seven days; the last of this week (Wednesday) and the three weeks before that have one; three months
    assert kept == {0, 1, 2, 3, 4, 5, 6, 20, 60, 500}


def test_a_repository_that_is_gone_is_not_made_anew(small: Place, tmp_path: Path) -> None:
    where = tmp_path / "unmounted"
    repository = Repository(location=str(where), password=PASSWORD, cache=tmp_path / "cache")
    small.folder.mkdir()
    note_backup(small.folder, {"ok": True, "at": "2026-11-27T03:00", "repository": str(where)})
    with pytest.raises(BackupFault, match="which held backups until 2026-11-27T03:00, is gone"):
        take(small, Restic(repository), quiet)
    assert not where.exists()


@pytest.mark.parametrize(
    "settings, said",
    [
        ({}, "BACKUP_REPOSITORY is not set"),
        ({"BACKUP_REPOSITORY": "/nowhere"}, "go together"),
        ({"BACKUP_REPOSITORY": "/nowhere", "BACKUP_PASSWORD": "short"}, "at least 16"),
    ],
)
def test_what_is_not_set_is_one_line(settings: dict[str, str], said: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "backups", "take"],
        env={**os.environ, "DATA_DIR": str(tmp_path), **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_lock_of_a_run_that_was_killed_is_no_obstacle(
    small: Place, restic: Restic, repository: Repository
) -> None:
    environment = {**os.environ, "RESTIC_REPOSITORY": repository.location, "RESTIC_PASSWORD": PASSWORD}
    words = ["restic", "backup", "--quiet", "--no-cache", "--stdin"]
    with subprocess.Popen(words, env=environment, stdin=subprocess.PIPE) as killed:
        eventually(lambda: bool(locks(repository)), seconds=60, what="a lock")
        killed.kill()
    assert locks(repository)
    take(small, restic, quiet)
    assert not locks(repository)
    assert len(restic.snapshots(TAG)) == 1


def locks(repository: Repository) -> list[str]:
    """Those that are whole: one that is being written has another name."""
    folder = Path(repository.location) / "locks"
    return [path.name for path in folder.iterdir() if len(path.name) == 64]
