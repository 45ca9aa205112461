"""`make run` for as long as a test needs it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from demo.run import DEFAULT_PORTS
from tests.servers.process import Process, free_port

READY_SECONDS = 90.0


@contextmanager
def running(env: Mapping[str, str]) -> Iterator[Process]:
    """`python -m demo.run` until the block ends; then Ctrl-C."""
    with Process([sys.executable, "-m", "demo.run"], env=env, name="make run") as process:
        process.wait_until(lambda: "Ready in " in process.output(), seconds=READY_SECONDS)
        yield process
        process.send(signal.SIGINT)
        assert process.wait() == 0, process.tail()


def free_ports() -> dict[str, str]:
    """Every port of a run, as settings."""
    return {name: str(free_port()) for name in DEFAULT_PORTS}
