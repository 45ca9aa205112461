"""The admin service as it runs: gunicorn, the worker, and an editor who signs in over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from admin_service.storage.sql.store import migrate
from demo.run import procfile
from tests.counts import counts
from tests.migrated import with_tables
from tests.servers.process import ROOT, Process, eventually, free_port

EMAIL = "editor@example.org"
READY_SECONDS = 60.0
ANSWER_SECONDS = counts(60.0, 600.0)
SIGNED_IN_FOR = 300.0
"""Seconds of an access token's fifteen minutes."""


class Running:
    """Both processes, and what the editor asks of them."""

    def __init__(self, client: httpx.Client, password: str, worker: Process) -> None:
        self.worker = worker
        self._client, self._password = client, password
        self._headers: dict[str, str] = {}
        self._signed_in_until = 0.0

    def call(
        self,
        method: str,
        path: str,
        status: int = 200,
        *,
        content: Callable[[], Iterable[bytes]] | None = None,
        media_type: str = "",
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """The JSON of the answer, which must have this status; `path` below `/api/admin`."""
        if time.monotonic() > self._signed_in_until:
            self._sign_in()
        headers = self._headers if content is None else {**self._headers, "Content-Type": media_type}

        def send() -> httpx.Response:
            body = None if content is None else content()
            return self._client.request(method, path, headers=headers, content=body, params=params)

        answer = _patiently(send)
        assert answer.status_code == status, answer.text
        return answer.json()

    def peak_megabytes(self) -> float:
        """How large the worker has been at most."""
        for line in Path(f"/proc/{self.worker.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("the worker has gone")

    def _sign_in(self) -> None:
        credentials = {"email": EMAIL, "password": self._password, "refreshTokenIn": "body"}
        answer = _patiently(lambda: self._client.post("/auth/login", json=credentials))
        assert answer.status_code == 200, answer.text
        self._headers = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
        self._signed_in_until = time.monotonic() + SIGNED_IN_FOR


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """The service on a database of its own, until the block ends."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api/admin"
    database_url = f"sqlite:///{folder / 'store.db'}"
    with_tables(database_url, migrate)
    env = {
        "ADMIN_DATABASE_URL": database_url,
        "ADMIN_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "DATA_DIR": str(folder),
        "ENVIRONMENT": "test",
        "LOG_LEVEL": "WARNING",
        # nobody: whatever else runs on this machine is not spoken to
        "TICKETING_API_URL": "http://127.0.0.1:9",
        "WEB_WORKERS": "1",
    }
    password = _editor(env)
    commands = procfile()
    argv, own = commands["admin"]
    worker = Process(commands["admin-worker"][0], env=env, name="admin-worker")
    with Process(argv, env={**env, **own}, name="admin") as admin, worker:
        admin.wait_until(lambda: _is_ready(url), seconds=READY_SECONDS)
        with httpx.Client(base_url=url, timeout=60) as client:
            yield Running(client, password, worker)


def _patiently(send: Callable[[], httpx.Response]) -> httpx.Response:
    """On a busy machine others may write to SQLite for longer than a request waits: it is sent again."""
    answers: list[httpx.Response] = []

    def is_answered() -> bool:
        answers[:] = [send()]
        return answers[0].status_code != 503

    eventually(is_answered, seconds=ANSWER_SECONDS, every=1, what="an answer other than 503")
    return answers[0]


def _editor(env: Mapping[str, str]) -> str:
    """Make the editor; their password."""
    argv = [sys.executable, "-m", "admin_service.commands.create_admin", EMAIL, "--role", "editor"]
    env = {**os.environ, **env}
    done = subprocess.run(argv, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    return done.stdout.split()[-1]


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/monitoring/ready").status_code == 200
    except httpx.TransportError:
        return False
