"""Any app under the services' own gunicorn settings."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from tests.servers.process import ROOT, Process, free_port


@contextmanager
def serving(
    module: str, workers: int, threads: int, *words: str, env: Mapping[str, str] | None = None
) -> Iterator[int]:
    """The port of the app of `module`; `words` go to gunicorn."""
    with gunicorn(module, workers, threads, *words, env=env) as (_, port):
        yield port


@contextmanager
def gunicorn(
    module: str, workers: int, threads: int, *words: str, env: Mapping[str, str] | None = None
) -> Iterator[tuple[Process, int]]:
    """The same, with its process."""
    port = str(free_port())
    settings = {"WEB_WORKERS": str(workers), "WEB_THREADS": str(threads)}
    ports = {"TICKETING_PORT": port, "ADMIN_PORT": port}
    argv = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), *words, f"{module}:app"]
    process = Process(argv, env={**settings, **ports, **(env or {})}, name="gunicorn")
    with closing(process):
        process.start()
        process.wait_for_port(int(port))
        yield process, int(port)
