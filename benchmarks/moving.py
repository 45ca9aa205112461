"""Measurements of a move from store to store: rows a second, verification included, and peak memory."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen
from tempfile import TemporaryDirectory

from benchmarks.databases import MARIADB, MONGODB, SQLITE, Databases, opened
from benchmarks.figures import Aim, Figure
from benchmarks.fill import fill
from benchmarks.site import running, sell_one
from tests.servers.process import ROOT

MAX_MEGABYTES = 200.0
KILOBYTES = 1024
_LOOKED_AT = re.compile(r"pass 1: ([\d,]+) looked at")


@dataclass(frozen=True, slots=True)
class Moved:
    """One move: what the source had, how long all of it took, and the most memory that it had (MB)."""

    rows: int
    seconds: float
    megabytes: float


def measure_moves(bookings: Mapping[str, int], folder: Path, buffer_pool: str) -> list[Figure]:
    """Of `bookings["sql"]` bookings from SQLite to MariaDB, and of `bookings["mongodb"]` over MongoDB's wire
    protocol, there and from there to MariaDB. Raises AssertionError when a move does not verify.
    """
    with ExitStack() as stack:
        kinds = {name: stack.enter_context(opened(name, folder, buffer_pool)) for name in _KINDS}
        figures = _figures(SQLITE, MARIADB, bookings["sql"], [_filled(kinds[SQLITE], bookings["sql"])], kinds)
        few = [_filled(kinds[SQLITE], bookings["mongodb"])]
        figures += _figures(SQLITE, MONGODB, bookings["mongodb"], few, kinds)
        figures += _figures(MONGODB, MARIADB, bookings["mongodb"], few, kinds)
    return figures


_KINDS = (SQLITE, MARIADB, MONGODB)


def _figures(
    source: str, target: str, bookings: int, chain: list[str], kinds: Mapping[str, Databases]
) -> list[Figure]:
    """Of one move from the last store of `chain`, to which the new one is added."""
    chain.append(kinds[target].new())
    moved = move(chain[-2], chain[-1])
    way = f"{_short(source)} to {_short(target)}, {bookings:,} bookings"
    facts = {"bookings": bookings, "rows": moved.rows, "seconds": round(moved.seconds, 2)}
    return [
        Figure(name=f"move, {way}", value=moved.rows / moved.seconds, unit="rows/s", facts=facts),
        Figure(
            name=f"memory of that move ({_short(target)})",
            value=moved.megabytes,
            unit="MB",
            aim=Aim("value", "at most", MAX_MEGABYTES),
        ),
    ]


def move(source: str, target: str) -> Moved:
    """Move as the command does, in a process of its own, so that its peak is its own. Raises AssertionError
    with what it said when it ends without having verified.
    """
    with TemporaryDirectory(prefix="bench-move-") as data:
        env = {**os.environ, "FROM": source, "TO": target, "DATA_DIR": data}
        argv: Sequence[str] = (sys.executable, "-m", "ticketing_service.commands.transfer", "offline")
        began = time.perf_counter()
        with Popen(argv, env=env, cwd=ROOT, stdout=PIPE, stderr=STDOUT, text=True) as process:
            assert process.stdout is not None  # it is a pipe
            said = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
    found = _LOOKED_AT.search(said)
    if process.returncode != 0 or found is None or "verified" not in said:
        raise AssertionError(f"the move ended with {process.returncode}:\n{said}")
    return Moved(int(found[1].replace(",", "")), seconds, usage.ru_maxrss / KILOBYTES)


def _filled(databases: Databases, bookings: int) -> str:
    """The URL of a store with a destination and so many bookings."""
    with running(databases) as site:
        fill(site.url, sell_one(site, site.sells.free), bookings - 1)
        return site.url


def _short(kind: str) -> str:
    return "SecantusDB" if kind == MONGODB else kind
