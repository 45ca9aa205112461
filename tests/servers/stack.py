"""The product's own processes on free ports: sandbox, gunicorn, worker and gateway, as the Procfile says."""

from __future__ import annotations

import http.client
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from common.settings import load
from demo.run import procfile
from tests.migrated import with_tables
from tests.servers.issuer import ROLES, Issuer
from tests.servers.process import ROOT, Process, descendants, free_port
from ticketing_service.storage.opening import migrate

READY_SECONDS = 60.0


class ServiceStack:
    """`with ServiceStack(tmp_path) as stack: httpx.get(f"{stack.ticketing_url}/api/v1/tickets")`.

    Its processes are `sandbox`, `ticketing`, `worker` and `gateway`, each a `Process` to kill, pause or start
    again; those that were not asked for are not started.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        database_url: str | None = None,
        web_workers: int = 2,
        web_threads: int = 8,
        sandbox: bool = True,
        worker: bool = True,
        gateway: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """`env` goes before the settings made here; without `database_url` it is SQLite in `data_dir`."""
        self.data_dir = data_dir
        self.ticketing_port, self.payment_port, self.gateway_port = free_port(), free_port(), free_port()
        self.ticketing_url = f"http://127.0.0.1:{self.ticketing_port}"
        self.payment_url = f"http://127.0.0.1:{self.payment_port}"
        self.gateway_url = f"http://127.0.0.1:{self.gateway_port}"
        self._issuer = Issuer(data_dir)
        self.env = {**self._settings(web_workers, web_threads), **self._issuer.settings, **(env or {})}
        if database_url is not None:
            self.env["DATABASE_URL"] = database_url
        python = sys.executable
        commands = procfile()
        web, web_env = commands["ticketing"]
        render = [python, "nginx/render.py", "--exec", "--access-log", "file"]
        self.sandbox = Process([python, "-m", "payment_sandbox"], env=self.env, name="payment-sandbox")
        self.ticketing = Process(web, env={**self.env, **web_env}, name="ticketing")
        self.worker = Process(commands["ticketing-worker"][0], env=self.env, name="ticketing-worker")
        self.gateway = Process(render, env=self.env, name="gateway")
        self._wanted = [
            process
            for process, wanted in ((self.sandbox, sandbox), (self.worker, worker), (self.gateway, gateway))
            if wanted
        ]

    def _settings(self, web_workers: int, web_threads: int) -> dict[str, str]:
        return {
            "BIND_HOST": "127.0.0.1",
            "DATA_DIR": str(self.data_dir),
            "ENVIRONMENT": "test",
            "LOG_LEVEL": "WARNING",
            "TICKETING_PORT": str(self.ticketing_port),
            "PAYMENT_PORT": str(self.payment_port),
            "GATEWAY_PORT": str(self.gateway_port),
            "GATEWAY_RATE": "100000",
            "GATEWAY_BURST": "100000",
            "PUBLIC_URL": self.gateway_url,
            "PAYMENT_API_URL": self.payment_url,
            "PAYMENT_API_TOKEN": secrets.token_urlsafe(32),
            "PAYMENT_WEBHOOK_SECRET": secrets.token_urlsafe(32),
            "POI_DIRECTORY": str(ROOT / "demo" / "pois.geojson"),
            "WEB_WORKERS": str(web_workers),
            "WEB_THREADS": str(web_threads),
            # A busy machine is not what these tests are about.
            "REDIS_TIMEOUT_MS": "2000",
        }

    def start(self) -> Self:
        """Start what was asked for, and wait until it serves."""
        with_tables(load("ticketing", self.env).database_url, migrate)
        for process in (self.ticketing, *self._wanted):
            process.start()
        self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        """Wait for ticketing's readiness and for the ports of the others; again after a restart."""
        self.ticketing.wait_until(self._is_ready, seconds=READY_SECONDS)
        for process, port in ((self.sandbox, self.payment_port), (self.gateway, self.gateway_port)):
            if process in self._wanted:
                process.wait_for_port(port)

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.ticketing_port, timeout=2)
        try:
            connection.request("GET", "/api/v1/monitoring/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def run_command(self, module: str, *arguments: str, seconds: float = 60) -> str:
        """Run `python -m ticketing_service.<module>` with this stack's settings and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", f"ticketing_service.{module}", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"{module} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def tokens(self) -> dict[str, str]:
        """Access tokens by role."""
        return {role: self._issuer.issue(role) for role in ROLES}

    def bearer(self, role: str) -> dict[str, str]:
        """The Authorization header of a role."""
        return {"Authorization": f"Bearer {self._issuer.issue(role)}"}

    def web_worker_pids(self) -> list[int]:
        """Process ids of gunicorn's workers, to be killed one by one."""
        return descendants(self.ticketing.pid) if self.ticketing.running else []

    def stop(self) -> None:
        """Stop all; `start` may follow, on the same data and ports."""
        for process in (self.gateway, self.worker, self.ticketing, self.sandbox):
            process.stop()

    def output(self) -> str:
        """What all processes have written, for the message of a failing test."""
        return "\n".join(f"--- {p.name}\n{p.tail(60)}" for p in (self.ticketing, *self._wanted))

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop all and let go of their output."""
        for process in (self.gateway, self.worker, self.ticketing, self.sandbox):
            process.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(self.output())
        self.close()
