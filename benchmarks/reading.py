"""Measurements of the reads that every visitor makes, of what watching them costs, and of memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx

from benchmarks.databases import Databases
from benchmarks.figures import Aim, Figure, interleaved, middle
from benchmarks.load import Latency, ReadLoad, read, sell
from benchmarks.memory import largest, proportional_megabytes
from benchmarks.site import Site, bare_flask, plain_nginx, twin

LOAD_SECONDS = 2
ROUNDS = 3
WATCHING_ROUNDS, WATCHED_SALES_ROUNDS, WATCHING_CONNECTIONS = 12, 4, 4
AIMS = {"ticket detail": Aim("ratio", "at least", 0.8)}
WORKER_SECONDS = 5.0
SAMPLE_SECONDS = 0.1
MAX_WORKER_MEGABYTES = 90.0


def measure_reads(site: Site, rounds: int = ROUNDS) -> list[Figure]:
    """Ticket detail, search and calendar, from the cache, against bare Flask that returns the same bytes. A
    single round is held to nothing.
    """
    aims = AIMS if rounds > 1 else {}
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
                _read(name, site.port, path, bare_port, f"/{number}", sizes[path], rounds, aims.get(name))
                for number, (name, path) in enumerate(paths.items())
            ]


def measure_gateway(site: Site) -> list[Figure]:
    """Ticket detail from the gateway's cache against a plain nginx that serves a file of the same bytes."""
    path = site.sells.ticket_path
    answer = httpx.get(site.stack.gateway_url + path)
    answer.raise_for_status()
    with TemporaryDirectory() as folder:
        files = Path(folder) / "files"
        files.mkdir()
        (files / "detail").write_bytes(answer.content)
        # Its processes may be another user's.
        Path(folder).chmod(0o755)
        with plain_nginx(Path(folder)) as plain_port:
            found: dict[str, list[ReadLoad]] = interleaved(
                ROUNDS,
                {
                    "plain": lambda: read(plain_port, "/detail", seconds=LOAD_SECONDS),
                    "gateway": lambda: read(site.stack.gateway_port, path, seconds=LOAD_SECONDS),
                },
            )
    return [
        Figure(
            name="ticket detail through the gateway",
            value=median(load.per_second for load in found["gateway"]),
            unit="requests/s",
            floor=median(load.per_second for load in found["plain"]),
            floor_is="nginx serving a file of the same bytes",
            latency=middle([load.latency for load in found["gateway"]]),
            aim=Aim("ratio", "at least", 0.7),
            facts={"bytes": len(answer.content)},
        )
    ]


def measure_watching(databases: Databases, site: Site) -> list[Figure]:
    """What metrics, log lines and traces cost: the service with them against the same without. The cheapest
    request there is, and those of a sale.
    """
    path, free = site.sells.ticket_path, site.sells.free

    def answers(side: Site) -> _Rate:
        load = read(side.port, path, seconds=1, connections=WATCHING_CONNECTIONS)
        return load.per_second, load.latency

    def sales(side: Site) -> _Rate:
        load = sell(side.port, free.spread, free.unit_id, seconds=2, connections=WATCHING_CONNECTIONS)
        return load.per_second, load.pair

    with twin(databases, site, watched=True) as watched, twin(databases, site, watched=False) as unwatched:
        return [
            _cost("of a cached detail", WATCHING_ROUNDS, answers, watched, unwatched),
            _cost("of a sale", WATCHED_SALES_ROUNDS, sales, watched, unwatched),
        ]


_Rate = tuple[float, Latency]


def _cost(of: str, rounds: int, rate: Callable[[Site], _Rate], watched: Site, unwatched: Site) -> Figure:
    """By how much the rate is higher without."""
    sides = {"without": unwatched, "with": watched}
    for side in sides.values():
        rate(side)
    found: dict[str, list[_Rate]] = interleaved(
        rounds, {name: partial(rate, side) for name, side in sides.items()}
    )
    rates = {name: [per_second for per_second, _ in each] for name, each in found.items()}
    # Of neighbours in time: whatever else the machine does falls on both.
    costs = [(without / by - 1) * 100 for without, by in zip(rates["without"], rates["with"], strict=True)]
    return Figure(
        name=f"metrics, logs and traces, {of}",
        value=median(costs),
        unit="%",
        latency=middle([latency for _, latency in found["with"]]),
        aim=Aim("value", "at most", 10),
        facts={"perSecond": {name: round(median(each)) for name, each in rates.items()}},
    )


def _read(
    name: str, port: int, path: str, bare_port: int, bare_path: str, size: int, rounds: int, aim: Aim | None
) -> Figure:
    found: dict[str, list[ReadLoad]] = interleaved(
        rounds,
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
        aim=aim,
        facts={"bytes": size, "bareMs": middle([load.latency for load in found["bare"]])},
    )


def measure_memory(site: Site) -> list[Figure]:
    """Of a web worker after all that load, and of the worker while it makes documents of the sales."""
    web = largest(site.stack.web_worker_pids())
    worker = site.stack.worker.start()
    try:
        end, most = time.monotonic() + WORKER_SECONDS, 0.0
        while time.monotonic() < end and worker.running:
            with suppress(ProcessLookupError):  # what it said at its end is shown below
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
