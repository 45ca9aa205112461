"""`make run` whole: every process of the product, on free ports and a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from demo.staff import FILE, read_staff
from tests.counts import counts
from tests.run.processes import all_gone
from tests.servers.process import Process, free_port

PORT_NAMES = ("GATEWAY_PORT", "ADMIN_PORT", "TICKETING_PORT", "PAYMENT_PORT")
COMMANDS = {
    "gateway": b"nginx",
    "ticketing": b"ticketing_service.wsgi",
    "ticketing-worker": b"ticketing_service.worker",
    "admin": b"admin_service.wsgi",
    "admin-worker": b"admin_service.worker",
}
DYING = counts(small=("admin-worker",), full=tuple(COMMANDS))


class Run:
    """One `python -m demo.run`, and how to look at it."""

    def __init__(self, data_dir: Path, **env: str) -> None:
        self.data_dir = data_dir
        self.ports = {name: free_port() for name in PORT_NAMES}
        settings = {name: str(port) for name, port in self.ports.items()}
        settings |= {"DATA_DIR": str(data_dir), "WEB_WORKERS": "1"}
        self.process = Process([sys.executable, "-m", "demo.run"], env=settings | env, name="make run")

    @property
    def tickets_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['GATEWAY_PORT']}/api/v1/tickets"

    def pid_of(self, name: str) -> int:
        """The process of one line of the Procfile, by its command line."""
        for pid in self.process.children():
            if COMMANDS[name] in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        raise AssertionError(f"no process of {name} in:\n{self.process.tail()}")


@contextmanager
def running(data_dir: Path, **env: str) -> Iterator[Run]:
    run = Run(data_dir, **env)
    with run.process:
        run.process.wait_until(lambda: "Ready in " in run.process.output(), seconds=90)
        yield run


def sign_in_as_printed(shown: str) -> None:
    """The command that is printed, as a shell has it."""
    (command,) = (line.strip() for line in shown.splitlines() if line.strip().startswith("sed -n"))
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert '"roles":["editor"]' in done.stdout, done.stdout


def test_it_serves_through_the_gateway_and_a_second_run_keeps_the_data(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder) as first:
        tickets = httpx.get(first.tickets_url, params={"limit": 100}).json()["data"]
        staff = read_staff(folder)
        assert (folder / FILE).stat().st_mode & 0o777 == 0o600
        shown = first.process.output()
        assert not any(each.password in shown for each in staff.values()), "passwords are for terminals only"
        sign_in_as_printed(shown)
        pids = first.process.children()
        first.process.send(signal.SIGTERM)
        assert first.process.wait() == 0
        all_gone(pids)
    secrets = (folder / "secrets.env").read_text()
    with running(folder) as second:
        assert httpx.get(second.tickets_url, params={"limit": 100}).json()["data"] == tickets
        assert (folder / "secrets.env").read_text() == secrets
    with running(folder, RESET="1"):
        assert read_staff(folder)["platform_admin"] != staff["platform_admin"]
        assert (folder / "secrets.env").read_text() != secrets


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a run that loaded everything, to be copied: a start is quick then."""
    folder = tmp_path_factory.mktemp("loaded") / "data"
    with running(folder) as run:
        run.process.send(signal.SIGTERM)
        assert run.process.wait() == 0
    return folder


@pytest.fixture
def data_dir(loaded: Path, tmp_path: Path) -> Path:
    """A folder of one's own that holds everything."""
    return shutil.copytree(loaded, tmp_path / "data")


@pytest.mark.xdist_group("make-run")
@pytest.mark.parametrize("name", DYING)
def test_one_process_dying_ends_all(data_dir: Path, name: str) -> None:
    with running(data_dir) as run:
        pids = run.process.children()
        os.kill(run.pid_of(name), signal.SIGKILL)
        assert run.process.wait(seconds=30) == 1
        assert f"{name} was killed by SIGKILL. Its last lines:" in run.process.output()
        all_gone(pids)


@pytest.mark.xdist_group("make-run")
def test_kill_9_of_the_supervisor_ends_the_services_too(data_dir: Path) -> None:
    with running(data_dir) as run:
        pids = run.process.children()
        assert (
            len(pids) >= 10
        )  # guard, sandbox, of each service gunicorn, its worker, the worker process; nginx
        os.kill(run.process.pid, signal.SIGKILL)
        run.process.wait()
        all_gone(pids)
