"""Measurements of the reads that every visitor makes, and of memory."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx

from benchmarks.figures import Aim, Figure, interleaved, middle
from benchmarks.load import ReadLoad, read
from benchmarks.memory import largest, proportional_megabytes
from benchmarks.site import Site, bare_flask

LOAD_SECONDS = 2
ROUNDS = 3
WORKER_SECONDS = 5.0
SAMPLE_SECONDS = 0.1
MAX_WORKER_MEGABYTES = 90.0


def measure_reads(site: Site) -> list[Figure]:
    """Ticket detail, search and calendar against bare Flask that returns the same bytes."""
    paths = {
        "ticket detail": site.sells.ticket_path,
        "search, a word and a city": site.sells.search_path,
        "calendar of 60 days": site.sells.calendar_path,
    }
    with TemporaryDirectory() as folder, httpx.Client(base_url=site.stack.ticketing_url) as client:
        sizes = {}
        for number, path in enumerate(paths.values()):
            answer = client.get(path)
            answer.raise_for_status()
            sizes[path] = len(answer.content)
            (Path(folder) / str(number)).write_bytes(answer.content)
        with bare_flask(Path(folder)) as bare_port:
            return [
                _read(name, site.port, path, bare_port, f"/{number}", sizes[path])
                for number, (name, path) in enumerate(paths.items())
            ]


def _read(name: str, port: int, path: str, bare_port: int, bare_path: str, size: int) -> Figure:
    found: dict[str, list[ReadLoad]] = interleaved(
        ROUNDS,
        {
            "bare": lambda: read(bare_port, bare_path, seconds=LOAD_SECONDS),
            "ours": lambda: read(port, path, seconds=LOAD_SECONDS),
        },
    )
    return Figure(
        name=name,
        value=median(load.per_second for load in found["ours"]),
        unit="requests/s",
        floor=median(load.per_second for load in found["bare"]),
        floor_is="bare Flask returning the same bytes",
        latency=middle([load.latency for load in found["ours"]]),
        facts={"bytes": size, "bareMs": middle([load.latency for load in found["bare"]])},
    )


def measure_memory(site: Site) -> list[Figure]:
    """Of a web worker after all that load, and of the worker while it makes documents of the sales."""
    web = largest(site.stack.web_worker_pids())
    worker = site.stack.worker.start()
    try:
        end, most = time.monotonic() + WORKER_SECONDS, 0.0
        while time.monotonic() < end and worker.running:
            most = max(most, proportional_megabytes(worker.pid))
            time.sleep(SAMPLE_SECONDS)
        assert worker.running, worker.tail()
    finally:
        worker.stop()
    return [
        Figure(
            name="memory of a web worker",
            value=web,
            unit="MB",
            aim=Aim("value", "at most", MAX_WORKER_MEGABYTES),
        ),
        Figure(name="memory of the worker process", value=most, unit="MB"),
    ]
