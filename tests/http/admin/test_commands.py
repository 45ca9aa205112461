"""The commands of the admin service, as they are run on a machine; its worker and its server processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from admin_service.domain.sessions import REMEMBERED
from admin_service.wiring import SETTLE_SECONDS
from common.auth.keyfiles import KeyRing
from tests.http.admin.desk import Desk, refusal
from tests.http.admin.people import login
from tests.servers.process import ROOT


def run(folder: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m admin_service.commands.MODULE ARGUMENTS` on the data of `folder`."""
    environment = {**os.environ, "DATA_DIR": str(folder), "LOG_LEVEL": "error"}
    environment["ADMIN_DATABASE_URL"] = f"sqlite:///{folder / 'store.db'}"
    return subprocess.run(
        [sys.executable, "-m", f"admin_service.commands.{module}", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_first_administrator_is_made_on_the_machine(desk: Desk, tmp_path: Path) -> None:
    done = run(tmp_path, "create_admin", "root@example.org", "--name", "Root")
    assert (done.returncode, done.stderr) == (0, "")
    address, password = done.stdout.split()
    assert address == "root@example.org"
    assert len(password) >= 20
    answer = login(desk, "root@example.org", password)
    assert answer.json["user"]["roles"] == ["platform_admin"]
    (event, *_) = [entry.event for entry in desk.ports.store.audit.after(0, 10)]
    assert (event.action, event.origin.actor) == ("users.create", "command:create_admin")
    again = run(tmp_path, "create_admin", "ROOT@example.org")
    assert (again.returncode, again.stdout) == (1, "")
    assert "is there already" in again.stderr
    assert login(desk, "root@example.org", password).status_code == 200
    quiet = run(tmp_path, "create_admin", "root@example.org", "--once")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "arguments, status, complaint",
    [
        (("no-address",), 1, "is not an address"),
        (("a@example.org", "--role", "root"), 2, "invalid choice"),
        ((), 2, "EMAIL"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_line(
    desk: Desk, tmp_path: Path, arguments: tuple[str, ...], status: int, complaint: str
) -> None:
    done = run(tmp_path, "create_admin", *arguments)
    assert done.returncode == status
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_somebody_else_is_made_with_a_role_and_places(desk: Desk, tmp_path: Path) -> None:
    place = "00000000-0000-0000-0000-000000000001"
    done = run(tmp_path, "create_admin", "ann@example.org", "--role", "poi_owner", "--poi", place)
    answer = login(desk, *done.stdout.split())
    assert (answer.json["user"]["roles"], answer.json["user"]["poiIds"]) == (["poi_owner"], [place])


def test_without_a_database_the_command_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, "create_admin", "root@example.org")
    assert done.returncode == 1
    assert "migrate" in done.stderr


def test_keys_are_rotated_and_forgotten_when_nothing_needs_them(desk: Desk, tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys" / "access-tokens", settle_seconds=SETTLE_SECONDS)
    first, _ = ring.newest()
    done = run(tmp_path, "rotate_keys")
    assert done.returncode == 0
    assert f"signs after {SETTLE_SECONDS:.0f} s" in done.stdout
    assert next(iter(KeyRing(ring.folder).keys())) == first
    assert KeyRing(ring.folder, settle_seconds=SETTLE_SECONDS).newest()[0] == first
    # much later
    files = sorted(ring.folder.glob("*.pem"))
    ages = (REMEMBERED.total_seconds() + 600 + SETTLE_SECONDS + 60, REMEMBERED.total_seconds())
    for file, seconds in zip(files, (ages[0] + 1, ages[0]), strict=True):
        stamp, _, rest = file.name.partition("-")
        file.rename(file.with_name(f"{int(stamp) - int(seconds * 1000):015d}-{rest}"))
    done = run(tmp_path, "rotate_keys", "--forget")
    assert f"removed: {first}" in done.stdout
    assert len(KeyRing(ring.folder).keys()) == 1


def test_a_database_that_is_migrated_is_left_alone(desk: Desk, tmp_path: Path) -> None:
    done = run(tmp_path, "migrate")
    assert (done.returncode, done.stdout) == (0, "The database is up to date.\n")
    assert refusal(login(desk)) == (401, "SIGN_IN_REFUSED")
