"""The worlds that the contract holds in: one machine with files, one or two machines with a Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from common.redis_options import RedisOptions
from tests.coordination.nodes import Machine, Node
from tests.servers.redis import UNHURRIED_SECONDS, RedisServer


class World:
    """Machines, and the processes on them."""

    def __init__(
        self,
        folder: Path,
        stack: ExitStack,
        server: RedisServer | None,
        machines: int,
        timeout_seconds: float = UNHURRIED_SECONDS,
    ) -> None:
        options = None
        if server is not None:
            options = RedisOptions(host=server.host, port=server.port, db=2, timeout_seconds=timeout_seconds)
        self.machines = [Machine(folder=folder / f"machine-{n}", redis=options) for n in range(machines)]
        self.server = server
        self._stack = stack
        self._started = 0

    def node(self, machine: int | None = None) -> Node:
        """A new process, on the machines in turn unless one is named."""
        number = self._started % len(self.machines) if machine is None else machine
        self._started += 1
        return self._stack.enter_context(closing(Node(self.machines[number])))

    def nodes(self, count: int, machine: int | None = None) -> list[Node]:
        """Several new processes."""
        return [self.node(machine) for _ in range(count)]

    @property
    def redis(self) -> RedisServer:
        """The Redis of this world."""
        assert self.server is not None
        return self.server


@pytest.fixture(params=["embedded", "redis", "redis-two-machines"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Every world that the contract holds in."""
    with ExitStack() as stack:
        server = None if request.param == "embedded" else stack.enter_context(RedisServer())
        yield World(tmp_path, stack, server, 2 if request.param == "redis-two-machines" else 1)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[World]:
    """One machine, files alone."""
    with ExitStack() as stack:
        yield World(tmp_path, stack, None, 1)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[World]:
    """Two machines with one Redis, for tests of what happens to it."""
    with ExitStack() as stack:
        server = stack.enter_context(RedisServer())
        yield World(tmp_path, stack, server, 2, RedisOptions(db=2).timeout_seconds)
