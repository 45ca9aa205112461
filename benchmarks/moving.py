"""Measurements of a move from store to store: rows a second, verification included, and peak memory."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen
from tempfile import TemporaryDirectory

from benchmarks.databases import MARIADB, MONGODB, SQLITE, Databases, opened
from benchmarks.figures import Aim, Figure
from benchmarks.fill import fill
from benchmarks.memory import peak_megabytes
from benchmarks.site import running, sell_one
from tests.servers.process import ROOT

MAX_MEGABYTES = 200.0
LOOK_SECONDS = 0.05
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
            peak = _Peak(process.pid)
            said, _ = process.communicate()
            seconds = time.perf_counter() - began
            megabytes = peak.seen()
    found = _LOOKED_AT.search(said)
    if process.returncode != 0 or found is None or "verified" not in said:
        raise AssertionError(f"the move ended with {process.returncode}:\n{said}")
    return Moved(int(found[1].replace(",", "")), seconds, megabytes)


class _Peak:
    """Looks at a process until it has ended."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most = pid, 0.0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def seen(self) -> float:
        """The most memory that it had (MB), once it has ended."""
        self._thread.join()
        return self._most

    def _look(self) -> None:
        with suppress(OSError):
            while True:
                self._most = max(self._most, peak_megabytes(self._pid))
                time.sleep(LOOK_SECONDS)


def _filled(databases: Databases, bookings: int) -> str:
    """The URL of a store with a destination and so many bookings."""
    with running(databases) as site:
        fill(site.url, sell_one(site, site.sells.free), bookings - 1)
        return site.url


def _short(kind: str) -> str:
    return "SecantusDB" if kind == MONGODB else kind
