"""The app over an empty store, beside a payment sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.ticketing.shop import Shop
from tests.sandbox.running import SandboxProcess, running_sandbox
from tests.servers.mariadb import MariaDB

KINDS = ["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)]


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDB]:
    with MariaDB() as server:
        yield server


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
        server: MariaDB = request.getfixturevalue("mariadb_server")
        url = server.new_database("http")
    made = Shop(tmp_path, url, sandbox.url)
    yield made
    made.close()
