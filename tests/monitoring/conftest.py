"""The whole service, three web processes and the worker, on SQLite: embedded, and once more with Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.faults.running import Running
from tests.monitoring.watched import KEY, Watched
from tests.servers.redis import RedisServer

WEB_WORKERS = 3


@pytest.fixture(scope="package")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(
    scope="package",
    params=[
        pytest.param(carrier, marks=pytest.mark.xdist_group(f"monitoring-{carrier}"))
        for carrier in ("embedded", "redis")
    ],
)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Both ways in which the processes of a service may know of each other."""
    folder = tmp_path_factory.mktemp(request.param)
    env = {"OPERATOR_KEY": KEY, "LOG_LEVEL": "WARNING"}
    with ExitStack() as opened:
        if request.param == "redis":
            env |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(request.getfixturevalue("redis").port)}
        url = f"sqlite:///{folder / 'ticketing.sqlite3'}"
        running = Running(folder, url, sandbox=False, gateway=True, web_workers=WEB_WORKERS, env=env)
        for process in (running.stack.ticketing, running.stack.worker):
            process.warm = False  # an operator finds them by their command lines
        opened.enter_context(running)
        watched = Watched(running)
        opened.callback(watched.close)
        watched.wait_for_check("worker", "healthy")
        yield watched
