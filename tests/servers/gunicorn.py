"""Any app in gunicorn, with the services' own settings."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Self

from tests.servers.process import ROOT, Process, free_port


class Gunicorn(Process):
    """Serves `app` of a module on a free `port`, as ticketing unless `env` says otherwise; `words` are more
    arguments.
    """

    def __init__(
        self,
        module: str,
        *words: str,
        workers: int = 1,
        threads: int = 4,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {
            "SERVICE": "ticketing",
            "TICKETING_PORT": str(self.port),
            "ADMIN_PORT": str(self.port),
            "WEB_WORKERS": str(workers),
            "WEB_THREADS": str(threads),
        }
        argv = [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            str(ROOT / "gunicorn.conf.py"),
            *words,
            f"{module}:app",
        ]
        super().__init__(argv, env={**settings, **(env or {})}, name=module.rpartition(".")[2])

    def start(self) -> Self:
        """Start (again), and wait until it listens."""
        super().start()
        self.wait_for_port(self.port)
        return self
