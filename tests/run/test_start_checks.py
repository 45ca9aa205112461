"""What `make run` refuses to start with: one clear line each, and nothing is touched."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo import data_folder, ports
from tests.servers.process import ROOT, free_port


def run_with(tmp_path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    names = ("GATEWAY_PORT", "ADMIN_PORT", "TICKETING_PORT", "PAYMENT_PORT")
    settings = {name: str(free_port()) for name in names} | {"DATA_DIR": str(tmp_path / "data")} | env
    return subprocess.run(
        ["env", *(f"{name}={value}" for name, value in settings.items()), sys.executable, "-m", "demo.run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["GATEWAY_PORT", "ADMIN_PORT", "TICKETING_PORT", "PAYMENT_PORT"])
def test_a_busy_port_is_one_line_with_setting_and_process(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_with(tmp_path, **{name: str(port)})
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith(f"make run: port {port} ({name}) is in use by ")
    assert f"set {name} to another port" in line
    assert not (tmp_path / "data").exists()


def test_two_settings_with_one_port_are_one_line(tmp_path: Path) -> None:
    port = str(free_port())
    done = run_with(tmp_path, GATEWAY_PORT=port, PAYMENT_PORT=port)
    assert (done.returncode, done.stderr) == (
        2,
        f"make run: GATEWAY_PORT and PAYMENT_PORT are both {port}: they must differ\n",
    )


@pytest.mark.parametrize("value", ["tcp://10.0.0.1:3004", "0", "65536", "-1"])
def test_an_impossible_port_is_one_line(tmp_path: Path, value: str) -> None:
    done = run_with(tmp_path, TICKETING_PORT=value)
    assert (done.returncode, done.stderr) == (
        2,
        f"make run: TICKETING_PORT={value}: expected a port from 1 to 65535\n",
    )


def test_reset_refuses_a_folder_that_no_run_has_made(tmp_path: Path) -> None:
    precious = tmp_path / "data" / "precious.txt"
    precious.parent.mkdir()
    precious.write_text("mine")
    done = run_with(tmp_path, RESET="1")
    assert done.returncode == 2
    assert "RESET=1 refused" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert precious.read_text() == "mine"


def test_reset_empties_a_folder_of_its_own_and_follows_no_link_out_of_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_text("kept")
    folder = tmp_path / "data"
    with data_folder.locked(folder):
        (folder / "mail").mkdir()
        (folder / "mail" / "1.eml").write_text("x")
        (folder / "link").symlink_to(outside)
        data_folder.empty(folder)
        assert [entry.name for entry in folder.iterdir()] == [data_folder.MARKER]
    assert (outside / "kept.txt").read_text() == "kept"


def test_a_data_folder_in_use_is_one_line(tmp_path: Path) -> None:
    with data_folder.locked(tmp_path / "data"):
        done = run_with(tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"make run: DATA_DIR={tmp_path / 'data'} is in use by another `make run`\n"


def test_secrets_are_made_once_private_and_give_way_to_the_environment(tmp_path: Path) -> None:
    first = data_folder.run_secrets(tmp_path, {})
    assert data_folder.run_secrets(tmp_path, {}) == first
    assert (tmp_path / data_folder.SECRETS_FILE).stat().st_mode & 0o777 == 0o600
    assert len(set(first.values())) == len(data_folder.SECRETS)
    assert all(len(value) >= 32 for value in first.values())
    assert "PAYMENT_API_TOKEN" not in data_folder.run_secrets(
        tmp_path, {"PAYMENT_API_TOKEN_FILE": "/elsewhere"}
    )


def test_a_free_port_is_no_problem() -> None:
    assert ports.busy_port("GATEWAY_PORT", "127.0.0.1", free_port()) is None
