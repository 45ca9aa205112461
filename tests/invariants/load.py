"""Many client processes on one store, and an observer that looks at the counters all the while."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.beneath import Beneath
from tests.counts import counts
from tests.invariants.checker import check_counters
from tests.invariants.facts import read_facts
from tests.invariants.records import UNKNOWN, Record, read_histories
from tests.invariants.violations import Violation
from tests.servers.process import Process, ProcessFailed

HANG_SECONDS = counts(280, 3000)
LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Run:
    """What came of a load: the history of all clients, and what was seen at the looks meanwhile."""

    history: list[Record] = field(default_factory=list)
    looks: int = 0
    seen: list[Violation] = field(default_factory=list)

    def count(self, operation: str, kind: str = "ok") -> int:
        """Operations that ended so; tries under one key count once."""
        return len({r.key for r in self.history if r.operation == operation and r.kind == kind})

    def codes(self, operation: str) -> set[str]:
        """The refusals that the operation met."""
        return {r.code for r in self.history if r.operation == operation and r.code is not None}


def run_clients(
    folder: Path,
    module: str,
    configurations: list[dict[str, Any]],
    observed: Beneath | None,
    meanwhile: Callable[[], None] = lambda: None,
    enough: Callable[[], bool] | None = None,
) -> Run:
    """Run one client process for each configuration until all have ended.

    `meanwhile` is called over and over while they run (it kills things); `observed` is looked at then. With
    `enough` they go on after their operations until it is true.
    Raises ProcessFailed with the output of a client that failed.
    """
    clients, histories = [], []
    until = folder / "enough"
    more = {} if enough is None else {"until": str(until)}
    for number, configuration in enumerate(configurations):
        histories.append(folder / f"history-{number}.jsonl")
        histories[-1].touch()
        path = folder / f"client-{number}.json"
        path.write_bytes(
            orjson.dumps(configuration | {"name": f"c{number}", "history": str(histories[-1])} | more)
        )
        argv = [sys.executable, "-W", "error", "-m", module, str(path)]
        clients.append(Process(argv, name=f"client-{number}"))
    run = Run()
    try:
        for client in clients:
            client.start()
        deadline = time.monotonic() + HANG_SECONDS
        while any(client.running for client in clients):
            if time.monotonic() > deadline:
                raise ProcessFailed("the clients hang:\n" + "\n".join(client.tail(10) for client in clients))
            meanwhile()
            if enough is not None and enough():
                until.touch()
            if observed is not None:
                _look(run, observed)
            time.sleep(LOOK_SECONDS)
        for client in clients:
            if client.returncode != 0:
                raise ProcessFailed(f"{client.name} ended with {client.returncode}:\n{client.tail(40)}")
    finally:
        for client in clients:
            client.close()
    run.history = read_histories(histories)
    return run


def _look(run: Run, database: Beneath) -> None:
    """One snapshot in the middle of it all: capacity is kept, and counters equal their claims."""
    run.seen += check_counters(read_facts(database))
    run.looks += 1


def answered(folder: Path) -> int:
    """How many tries have had an answer so far, in a load that is still running."""
    return sum(record["kind"] != UNKNOWN for record in _so_far(folder))


def in_the_balance(folder: Path, operation: str) -> int:
    """How many tries of the operation have had no answer so far, in a load that is still running."""
    return sum(record["operation"] == operation and record["kind"] == UNKNOWN for record in _so_far(folder))


def _so_far(folder: Path) -> Iterator[dict[str, Any]]:
    lines = (line for path in folder.glob("history-*.jsonl.*") for line in path.read_bytes().splitlines(True))
    return (orjson.loads(line) for line in lines if line.endswith(b"\n"))
