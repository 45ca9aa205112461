"""The app of `slow_app` in gunicorn, with the services' own settings."""

from __future__ import annotations

import sys

from tests.faults.open_load import send
from tests.servers.process import ROOT, Process, free_port

WORK, GATE = "/api/v1/work", "/api/v1/gate"
LIVE, READY = "/api/v1/monitoring/live", "/api/v1/monitoring/ready"
UNDER_WAY = "/api/v1/monitoring/under-way"
"""How many requests for WORK are being answered in the process that says so."""


class SlowServer(Process):
    """Answers `threads` requests at a time in each of `workers` processes, each after `seconds`."""

    def __init__(self, seconds: float, *, workers: int = 1, threads: int = 4) -> None:
        self.port = free_port()
        settings, app = str(ROOT / "gunicorn.conf.py"), "tests.faults.slow_app:app"
        env = {"SERVICE": "ticketing", "TICKETING_PORT": str(self.port), "SLOW_SECONDS": str(seconds)}
        env |= {"WEB_WORKERS": str(workers), "WEB_THREADS": str(threads), "LOG_LEVEL": "ERROR"}
        argv = [sys.executable, "-m", "gunicorn", "-c", settings, app]
        super().__init__(argv, env=env, name="slow-app")

    def wait_until_ready(self) -> None:
        """Until it answers; not only the kernel takes connections."""
        self.wait_until(lambda: send(self.port, READY).status == 200)
