"""Watches the memory of the service's processes while everything else goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.memory import proportional_megabytes
from tests.servers.stack import ServiceStack

PERIOD_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Megabytes (PSS) at a Unix time: of all web processes together, and of the worker process."""

    at: float
    web: float
    worker: float


@contextmanager
def watched_memory(stack: ServiceStack) -> Iterator[list[Memory]]:
    """A list that grows until the block ends."""
    seen: list[Memory] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(PERIOD_SECONDS):
            sample = _sample(stack)
            if sample is not None:
                seen.append(sample)

    thread = threading.Thread(target=watch, name="memory", daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _sample(stack: ServiceStack) -> Memory | None:
    """None when a process is being replaced at this very moment."""
    try:
        web = sum(map(proportional_megabytes, (stack.ticketing.pid, *stack.web_worker_pids())))
        return Memory(at=time.time(), web=web, worker=proportional_megabytes(stack.worker.pid))
    except (OSError, ValueError):
        return None
