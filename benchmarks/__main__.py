"""`make bench`: measure the parts, then the service on SQLite, MariaDB and SecantusDB (which speaks MongoDB's
wire protocol), then moves between them, in about a quarter of an hour.

`BENCH=full` adds the stores of a million bookings and points of interest; `BENCH_STORES=sqlite,mongodb`
measures some of them, and moves when all three are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import machine, report
from benchmarks.backing_up import measure_backup
from benchmarks.curating import measure_import, measure_pois
from benchmarks.databases import MARIADB, MONGODB, SQLITE, Databases, opened
from benchmarks.figures import Figure
from benchmarks.moving import measure_moves
from benchmarks.outage import measure_outage
from benchmarks.parts import measure_breaker, measure_cache_hits, measure_scrape
from benchmarks.progress import Progress, Step
from benchmarks.reading import measure_gateway, measure_memory, measure_reads, measure_watching
from benchmarks.reselling import measure_resale
from benchmarks.selling import measure_growth, measure_paid_sale, measure_sale
from benchmarks.site import running
from benchmarks.staffing import measure_staff

FEW_BOOKINGS = 1_000
MANY_BOOKINGS = {"small": 20_000, "full": 1_000_000}
GROWTH_SECONDS = {"small": {SQLITE: 40.0, MARIADB: 50.0}, "full": {SQLITE: 400.0, MARIADB: 900.0}}
MANY_POIS, IMPORTED_POIS = {"small": 20_000, "full": 1_000_000}, {"small": 5_000, "full": 100_000}
POI_SECONDS = {"small": 60.0, "full": 1500.0}
IMPORT_SECONDS = {"small": 20.0, "full": 300.0}
BACKED_UP = {"small": 150_000, "full": 1_000_000}
BACKUP_SECONDS = {"small": 240.0, "full": 1500.0}
MOVED = {"small": {"sql": 5_000, "mongodb": 1_000}, "full": {"sql": 1_000_000, "mongodb": 100_000}}
MOVE_SECONDS = {"small": 60.0, "full": 7200.0}
BUFFER_POOL = {"small": "256M", "full": "8G"}
SMALL, FULL = "small", "full"
PARTS, MOVES = "parts", "moves"


def main() -> None:
    """Measure, print, keep. The exit status says whether every aim was met."""
    size = os.environ.get("BENCH") or SMALL
    if size not in (SMALL, FULL):
        raise SystemExit(f"BENCH={size}: expected {SMALL} or {FULL}")
    stores = _wanted_stores()
    begun = datetime.now(UTC)
    facts: dict[str, Any] = {"startedAt": begun.strftime("%Y-%m-%dT%H:%MZ"), "size": size}
    facts |= {"machine": machine.machine_facts(), "versions": machine.versions()}
    moves = [Step(MOVES, MOVE_SECONDS[size])] if len(stores) == len(STORES) else []
    steps = [step for store in stores for step in _steps(store, size)]
    progress = Progress([*_PART_STEPS, *steps, *moves])
    figures: dict[str, Sequence[Figure]] = {PARTS: _measure_parts(progress)}
    titles: dict[str, str] = {PARTS: PARTS}
    print(f"\n{report.table(PARTS, figures[PARTS])}\n", flush=True)
    for store in stores:
        with (
            TemporaryDirectory(prefix="bench-") as folder,
            opened(store, Path(folder), BUFFER_POOL[size]) as databases,
        ):
            titles[store] = f"{store} {databases.version()}"
            measure = _measure_wire if store == MONGODB else _measure
            figures[store] = measure(databases, size, progress)
        print(f"\n{report.table(titles[store], figures[store])}\n", flush=True)
    if moves:
        titles[MOVES] = MOVES
        with TemporaryDirectory(prefix="bench-") as folder, progress.step():
            figures[MOVES] = measure_moves(MOVED[size], Path(folder), BUFFER_POOL[size])
        print(f"\n{report.table(MOVES, figures[MOVES])}\n", flush=True)
    progress.finish()
    path = report.write("latest", {**facts, "measured": list(titles.values())}, figures)
    print(f"written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    missed = [
        f"{title}: {figure.name}"
        for title, found in figures.items()
        for figure in found
        if figure.met is False
    ]
    if missed:
        sys.exit("missed: " + "; ".join(missed))


STORES = {"sqlite": SQLITE, "mariadb": MARIADB, "mongodb": MONGODB}


def _wanted_stores() -> tuple[str, ...]:
    """BENCH_STORES, separated by commas; all by default."""
    asked = (os.environ.get("BENCH_STORES") or ",".join(STORES)).split(",")
    unknown = [name for name in asked if name not in STORES]
    if unknown:
        raise SystemExit(f"BENCH_STORES: {', '.join(unknown)} is none of {', '.join(STORES)}")
    return tuple(STORES[name] for name in asked)


_PART_STEPS = (
    Step("parts: breaker", 5),
    Step("parts: cache hits", 10),
    Step("parts: a scrape after 1,000 deaths", 35),
)


def _measure_parts(progress: Progress) -> list[Figure]:
    figures: list[Figure] = []
    for measurement in (measure_breaker, measure_cache_hits, measure_scrape):
        with progress.step():
            figures += measurement()
    return figures


def _steps(store: str, size: str) -> list[Step]:
    if store == MONGODB:
        return [
            Step(f"{store}: start, with a destination of its own", 8),
            Step(f"{store}: sale against the bare driver, hot and spread", 50),
            Step(f"{store}: reads against bare Flask", 14),
        ]
    outage = Step(f"{store}: refusals while the database is killed, and frozen", 25)
    backup = Step(f"{store}: backup and restore of {BACKED_UP[size]:,} bookings", BACKUP_SECONDS[size])
    return [
        Step(f"{store}: start, with a destination of its own", 6),
        Step(f"{store}: sale against the bare driver, hot and spread", 50),
        Step(f"{store}: reads against bare Flask", 42),
        Step(f"{store}: through the gateway", 13),
        Step(f"{store}: what watching costs", 55),
        Step(f"{store}: sale with payment", 9),
        Step(f"{store}: memory", 6),
        *([outage] if store == MARIADB else []),
        Step(f"{store}: {MANY_POIS[size]:,} points of interest", POI_SECONDS[size]),
        Step(f"{store}: import of {IMPORTED_POIS[size]:,} points of interest", IMPORT_SECONDS[size]),
        Step(f"{store}: sign-ins and uploads", 25),
        Step(f"{store}: what resellers ask for and sell over OCTO", 75),
        Step(f"{store}: sale's P95 with {MANY_BOOKINGS[size]:,} bookings", GROWTH_SECONDS[size][store]),
        *([backup] if store == MARIADB else []),
    ]


def _measure_wire(databases: Databases, size: str, progress: Progress) -> list[Figure]:
    """Of the stand-in what says whether all is right there, in a short time: its speed is not MongoDB's."""
    with ExitStack() as stack:
        with progress.step():
            site = stack.enter_context(running(databases))
        with progress.step():
            figures = measure_sale(databases, site)
        with progress.step():
            return figures + measure_reads(site, rounds=1)


def _measure(databases: Databases, size: str, progress: Progress) -> list[Figure]:
    figures: list[Figure] = []
    with ExitStack() as stack:
        with progress.step():
            site = stack.enter_context(running(databases, sandbox=True, gateway=True))
        measurements: tuple[Callable[[], list[Figure]], ...] = (
            lambda: measure_sale(databases, site),
            lambda: measure_reads(site),
            lambda: measure_gateway(site),
            lambda: measure_watching(databases, site),
            lambda: measure_paid_sale(site),
            lambda: measure_memory(site),
        )
        for measurement in measurements:
            with progress.step():
                figures += measurement()
    if databases.server is not None:
        with progress.step():
            figures += measure_outage(databases)
    with progress.step():
        figures += measure_pois(databases, MANY_POIS[size])
    with progress.step():
        figures += measure_import(databases, IMPORTED_POIS[size])
    with progress.step():
        figures += measure_staff(databases)
    with progress.step():
        figures += measure_resale(databases)
    with progress.step():
        figures += measure_growth(databases, FEW_BOOKINGS, MANY_BOOKINGS[size])
    if databases.server is not None:
        with progress.step():
            figures += measure_backup(databases, BACKED_UP[size])
    return figures


if __name__ == "__main__":
    main()
