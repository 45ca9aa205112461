"""Locust in a process of its own (it patches the standard library), and what it writes down."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from load.plan import Plan
from load.samples import Second
from tests.servers.process import Process

LOCUSTFILE = Path(__file__).parent / "locustfile.py"
POLL_SECONDS = 0.25
GRACE_SECONDS = 60.0


class SwarmFailed(Exception):
    """Locust ended by itself without success; the message holds its last lines."""


def run_swarm(plan: Plan, folder: Path) -> Generator[Second, None, None]:
    """Each second as it is written, until the plan is done. Closing the iterator stops locust.

    Raises SwarmFailed.
    """
    samples, plan_file = Path(plan.samples), folder / "plan.json"
    plan.write(plan_file)
    samples.touch()
    argv: list[str | Path] = [sys.executable, "-m", "locust", "-f", LOCUSTFILE, "--headless"]
    argv += ["--loglevel", "WARNING", "--only-summary", "--exit-code-on-error", "0", "--stop-timeout", "0"]
    process = Process(argv, env={"LOAD_PLAN": str(plan_file)}, name="locust")
    deadline = time.monotonic() + sum(stage.seconds for stage in plan.stages) + GRACE_SECONDS
    with samples.open("rb") as file, process:
        while process.running:
            yield from _new(file)
            if time.monotonic() > deadline:
                raise SwarmFailed(f"locust did not end in time:\n{process.tail()}")
            time.sleep(POLL_SECONDS)
        yield from _new(file)
        if process.returncode != 0:
            raise SwarmFailed(f"locust ended with {process.returncode}:\n{process.tail()}")


def _new(file: BinaryIO) -> Iterator[Second]:
    """The lines that have come since; a line that is still being written waits."""
    while True:
        place = file.tell()
        line: bytes = file.readline()
        if not line.endswith(b"\n"):
            file.seek(place)
            return
        yield Second.of(orjson.loads(line))
