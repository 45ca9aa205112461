"""The cache of these tests: on both backends, several processes' worth of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.caching.backends.embedded import EmbeddedBackend
from common.caching.backends.redis import RedisBackend
from common.caching.cache import Caches
from common.caching.regions import Region
from common.clock import Clock, system_clock
from common.coordination.embedded import EmbeddedCoordination
from common.redis_options import RedisOptions
from tests.servers.redis import UNHURRIED_SECONDS, RedisServer

TICKETS = Region(name="tickets", ttl_seconds=100, stale_seconds=300, negative_seconds=5)
SLOTS = Region(name="slots", ttl_seconds=100, stale_seconds=100)
REGIONS = (TICKETS, SLOTS)
SERVICE = "shop"
DB = 2


@dataclass
class Hand:
    """A clock that is turned by hand."""

    now: datetime = datetime(2026, 5, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Stage:
    """A folder and perhaps a Redis; `caches()` is the cache of one more process."""

    folder: Path
    server: RedisServer | None = None
    timeout_seconds: float = UNHURRIED_SECONDS
    made: list[tuple[Caches, EmbeddedCoordination]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return "embedded" if self.server is None else "redis"

    def caches(self, *, clock: Clock = system_clock, started: bool = False, **more: Any) -> Caches:
        coordination = EmbeddedCoordination(self.folder / "coordination")
        backend: Any
        if self.server is None:
            backend = EmbeddedBackend(self.folder / "cache", coordination, clock=clock)
        else:
            options = RedisOptions(
                host=self.server.host, port=self.server.port, db=DB, timeout_seconds=self.timeout_seconds
            )
            backend = RedisBackend(options, SERVICE, clock=clock)
        caches = Caches(backend, coordination, REGIONS, clock=clock, **more)
        self.made.append((caches, coordination))
        if started:
            caches.start()
        return caches

    def close(self) -> None:
        for caches, coordination in self.made:
            caches.close()
            coordination.close()


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(params=["embedded", "redis"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    server = None
    if request.param == "redis":
        server = request.getfixturevalue("shared_redis")
        with server.client(DB) as client:
            client.flushall()
    stage = Stage(tmp_path, server)
    yield stage
    stage.close()


@pytest.fixture
def redis_stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Stages with a Redis of their own, which may come to harm."""
    stages: list[Stage] = []

    def make(**options: Any) -> Stage:
        server = RedisServer(**options).start()
        stages.append(Stage(tmp_path, server, RedisOptions(db=DB).timeout_seconds))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()
        assert stage.server is not None
        stage.server.close()
