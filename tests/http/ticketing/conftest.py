"""The app over an empty store, beside a payment sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from common.clock import system_clock
from tests.http.ticketing.shop import Clock, Shop
from tests.http.ticketing.two import Two
from tests.migrated import emptied
from tests.sandbox.running import SandboxProcess, running_sandbox
from tests.servers.redis import RedisServer
from tests.servers.secantus import emptied_mongodb
from ticketing_service.storage.sql import schema

KINDS = [
    "sqlite",
    pytest.param("mariadb", marks=pytest.mark.mariadb),
    pytest.param("mongodb", marks=pytest.mark.mongodb),
]


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """The payment module; its webhooks go nowhere, as the app under test is no server."""
    captures = {"PAYMENT_CAPTURE_MODE": "capture"}
    with running_sandbox(
        tmp_path_factory.mktemp("sandbox"), "http://127.0.0.1:9/hook", **captures
    ) as process:
        yield process


@pytest.fixture
def shop(tmp_path: Path, sandbox: SandboxProcess) -> Iterator[Shop]:
    made = Shop(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", sandbox.url)
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def any_shop(request: pytest.FixtureRequest, tmp_path: Path, sandbox: SandboxProcess) -> Iterator[Shop]:
    """The same on each database."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    if request.param == "mariadb":
        url = emptied(request.getfixturevalue("ticketing_mariadb"), schema.metadata)
    if request.param == "mongodb":
        url = emptied_mongodb(request.getfixturevalue("ticketing_mongodb"))
    made = Shop(tmp_path, url, sandbox.url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(params=["embedded", "redis"])
def two(request: pytest.FixtureRequest, tmp_path: Path, sandbox: SandboxProcess) -> Iterator[Two]:
    settings: dict[str, str] = {}
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        with server.client() as client:
            client.flushall()
        settings = {"REDIS_HOST": server.host, "REDIS_PORT": str(server.port), "REDIS_TIMEOUT_MS": "2000"}
    # Ahead of the machine's clock, by which files and Redis remove what has ended.
    morning = (system_clock() + timedelta(days=1)).replace(hour=6, minute=0, second=0, microsecond=0)
    clock = Clock(morning)
    url = f"sqlite:///{tmp_path / 'store.db'}"
    one = Shop(tmp_path, url, sandbox.url, clock, **settings)
    other = Shop(tmp_path, url, sandbox.url, clock, **settings)
    yield Two(one, other, clock, morning.date().isoformat())
    one.close()
    other.close()
