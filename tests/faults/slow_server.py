"""The app of `slow_app` in gunicorn, with the services' own settings."""

from __future__ import annotations

from tests.faults.open_load import send
from tests.servers.gunicorn import Gunicorn

WORK, GATE = "/api/v1/work", "/api/v1/gate"
LIVE, READY = "/api/v1/monitoring/live", "/api/v1/monitoring/ready"
UNDER_WAY = "/api/v1/monitoring/under-way"
"""How many requests for WORK are being answered in the process that says so."""


class SlowServer(Gunicorn):
    """Answers `threads` requests at a time in each of `workers` processes, each after `seconds`."""

    def __init__(self, seconds: float, *, workers: int = 1, threads: int = 4) -> None:
        env = {"SLOW_SECONDS": str(seconds), "LOG_LEVEL": "ERROR"}
        super().__init__("tests.faults.slow_app", workers=workers, threads=threads, env=env)

    def wait_until_ready(self) -> None:
        """Until it answers; not only the kernel takes connections."""
        self.wait_until(lambda: send(self.port, READY).status == 200)
