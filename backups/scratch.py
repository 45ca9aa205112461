"""A scratch place for a restored backup: the services' own processes, and a database server if one is needed.

What is started here ends here, also when this process is killed; nothing else is ever touched.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from secrets import token_urlsafe
from tempfile import mkdtemp
from types import TracebackType
from typing import Self

import pymysql

from common.backups.faults import BackupFault
from common.settings_table import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
NOBODY = "http://127.0.0.1:9"
"""Where no payment module is: nothing that was restored may reach a real one."""

START_SECONDS = 120.0
STOP_SECONDS = 20.0
COMMAND_SECONDS = 900.0
POLL_SECONDS = 0.1
_LAST_BYTES = 600


class Scratch:
    """`with Scratch(folder) as scratch:`. `folder` is its own, and is there already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # the kernel takes a socket's path up to 107 bytes only
        self.sockets = Path(mkdtemp(prefix="drill-"))
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, words: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start a process that is to run until the end."""
        tied = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
        with self._log(name).open("wb") as log:
            process = subprocess.Popen(
                [*tied, *words],
                env=None if env is None else dict(env),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append((name, process))

    def wait_until(self, name: str, ready: Callable[[], bool]) -> None:
        """Raises BackupFault when the process `name` ends, or is not ready in time."""
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            (process,) = [each for known, each in self._running if known == name]
            if process.poll() is not None:
                raise BackupFault(f"{name} ended with {process.returncode}: {self._said(name)}")
            if time.monotonic() > deadline:
                raise BackupFault(f"{name} was not ready within {START_SECONDS:.0f} s: {self._said(name)}")
            time.sleep(POLL_SECONDS)

    def run(self, module: str, *words: str, env: Mapping[str, str]) -> str:
        """What `python -m module` prints. Raises BackupFault with its last words when it fails."""
        try:
            done = subprocess.run(
                [sys.executable, "-m", module, *words],
                env=dict(env),
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BackupFault(f"{module} did not end within {COMMAND_SECONDS:.0f} s") from error
        if done.returncode != 0:
            said = " ".join((done.stdout + done.stderr).split())[-_LAST_BYTES:]
            raise BackupFault(f"{module}: {said}")
        return done.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, process in reversed(self._running):
            process.terminate()
        for _, process in self._running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _said(self, name: str) -> str:
        return " ".join(self._log(name).read_text(errors="replace").split())[-_LAST_BYTES:]


class ScratchMariadb:
    """A MariaDB server in a scratch place, with empty databases."""

    def __init__(self, scratch: Scratch) -> None:
        """Makes its data, starts it and waits until it answers. Raises BackupFault."""
        self._scratch = scratch
        self._data, self._socket = scratch.folder / "mariadb", scratch.sockets / "mysqld.sock"
        self._port, self._password = free_port(), token_urlsafe(24)
        self._install()
        scratch.start("mariadbd", self._words())
        scratch.wait_until("mariadbd", self._answers)

    def new_database(self, name: str) -> str:
        """An empty database; its URL."""
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
            cursor.execute(f"GRANT ALL ON `{name}`.* TO 'drill'@'%%' IDENTIFIED BY %s", (self._password,))
        return f"mysql+pymysql://drill:{self._password}@127.0.0.1:{self._port}/{name}"

    def _install(self) -> None:
        done = subprocess.run(
            [
                _program("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={self._data}",
                f"--user={getpass.getuser()}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BackupFault(f"mariadb-install-db: {' '.join(done.stdout.split())[-_LAST_BYTES:]}")

    def _words(self) -> list[str]:
        return [
            _program("mariadbd"),
            "--no-defaults",
            f"--user={getpass.getuser()}",
            f"--datadir={self._data}",
            f"--socket={self._socket}",
            f"--pid-file={self._scratch.folder / 'mysqld.pid'}",
            f"--tmpdir={self._scratch.folder}",
            f"--port={self._port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            # it is thrown away afterwards
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=256M",
            "--performance-schema=OFF",
            "--loose-skip-feedback",
        ]

    def _answers(self) -> bool:
        """Whether the server behind the socket is the one on our data."""
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(self._socket)) != 0:
                return False
        try:
            with self._connected() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT @@datadir")
                return cursor.fetchone() == (f"{self._data}/",)
        except pymysql.MySQLError:
            return False

    def _connected(self) -> contextlib.closing[pymysql.Connection]:
        return contextlib.closing(
            pymysql.connect(unix_socket=str(self._socket), user="root", autocommit=True, connect_timeout=5)
        )


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(data_dir: Path, ports: Mapping[str, int], urls: Mapping[str, str]) -> dict[str, str]:
    """That of the services in a scratch place: none of this installation's settings, so that no mail, no
    payment and no medium of what was restored goes anywhere. `urls`: of each service's database.
    """
    known = {name for setting in SETTINGS for name in (setting.name, f"{setting.name}_FILE")}
    admin = f"http://127.0.0.1:{ports['admin']}"
    places = data_dir / "no-places.geojson"
    places.write_text('{"type": "FeatureCollection", "features": []}')
    return {
        **{name: value for name, value in os.environ.items() if name not in known},
        "DATA_DIR": str(data_dir),
        "ENVIRONMENT": "drill",
        "LOG_LEVEL": "warning",
        "BIND_HOST": "127.0.0.1",
        "ADMIN_PORT": str(ports["admin"]),
        "TICKETING_PORT": str(ports["ticketing"]),
        "PUBLIC_URL": f"http://127.0.0.1:{ports['ticketing']}",
        "ADMIN_API_URL": admin,
        "JWKS_SOURCE": f"{admin}/.well-known/jwks.json",
        "POI_DIRECTORY": str(places),
        "PAYMENT_API_URL": NOBODY,
        "PAYMENT_API_TOKEN": token_urlsafe(24),
        "PAYMENT_WEBHOOK_SECRET": token_urlsafe(24),
        "WEB_WORKERS": "1",
        "WEB_THREADS": "4",
        **{f"{service.upper()}_DATABASE_URL": url for service, url in urls.items()},
    }


def program(name: str, kind: str, package: str) -> str:
    """Where a server's program is; a daemon's folder need not be in the PATH. Raises BackupFault."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BackupFault(f"{name} is missing for a drill of {kind}: install {package}")
    return found


def _program(name: str) -> str:
    return program(name, "MariaDB", "mariadb-server")
