"""One shop with a sale at each stage, for as many attacks as there are: none of them may leave a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.http.ticketing.conftest import KINDS, any_shop, sandbox, shop
from tests.http.ticketing.shop import Shop
from tests.sandbox.running import SandboxProcess
from tests.security.stage import Stage
from tests.servers.mariadb import MariaDB
from tests.servers.secantus import MongoServer

__all__ = ["any_shop", "sandbox", "shop"]


@contextmanager
def _staged(folder: Path, url: str, sandbox: SandboxProcess) -> Iterator[Stage]:
    made = Shop(folder, url, sandbox.url)
    stage = Stage(made, sandbox, url)
    yield stage
    stage.watch.close()
    made.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess) -> Iterator[Stage]:
    """Shared by a file's tests, as refusals leave nothing behind."""
    folder = tmp_path_factory.mktemp("stage")
    with _staged(folder, f"sqlite:///{folder / 'store.db'}", sandbox) as made:
        yield made


@pytest.fixture(scope="module", params=KINDS)
def any_stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess
) -> Iterator[Stage]:
    """The same on each database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("stage")
        return
    server: MariaDB | MongoServer = request.getfixturevalue(f"{request.param}_server")
    folder = tmp_path_factory.mktemp("stage")
    with _staged(folder, server.new_database("security"), sandbox) as made:
        yield made


@pytest.fixture
def fresh_stage(tmp_path: Path, sandbox: SandboxProcess) -> Iterator[Stage]:
    """A test's own, for what it is allowed to change."""
    with _staged(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", sandbox) as made:
        yield made
