"""Stores of the admin service to hold to the contract: each test runs on every database, on one that is
empty, behind what goes round a store in the service: a closed breaker, and a listener that fails whatever it
is told.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from admin_service.storage.changes import Change, Listeners
from admin_service.storage.guarded import guarded
from admin_service.storage.opening import migrate, open_store
from admin_service.storage.port import Store
from admin_service.storage.sql import schema
from admin_service.wiring import BREAKERS
from common.resilience.breaker import Breaker
from common.resilience.guard import Guard
from tests.contract.conftest import ListenerFailed
from tests.invariants.stores import KINDS, THREADS
from tests.migrated import emptied
from tests.servers.mariadb import MariaDB
from tests.servers.secantus import MongoServer, emptied_mongodb, mongodb_server

__all__ = ["mongodb_server"]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "admin.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_mariadb(mariadb_server: MariaDB) -> str:
    """A migrated database, to be emptied: migrating takes longer than most tests."""
    url = mariadb_server.new_database("admin")
    migrate(url)
    return url


@pytest.fixture(scope="session")
def migrated_mongodb(mongodb_server: MongoServer) -> Iterator[str]:
    """The same on MongoDB."""
    url = mongodb_server.new_database("admin")
    migrate(url)
    yield url
    mongodb_server.drop_database(url)


@pytest.fixture(params=KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database without rows."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "admin.db")
        return f"sqlite:///{path}"
    if request.param == "mongodb":
        return emptied_mongodb(request.getfixturevalue("migrated_mongodb"))
    url: str = request.getfixturevalue("migrated_mariadb")
    return emptied(url, schema.metadata)


@pytest.fixture
def heard() -> list[Change]:
    """What the listener of `store` was told."""
    return []


@pytest.fixture
def store(store_url: str, heard: list[Change]) -> Iterator[Store]:
    def listen(change: Change) -> None:
        heard.append(change)
        raise ListenerFailed

    (database,) = (spec for spec in BREAKERS if spec.name == "database")
    opened = open_store(store_url, THREADS)
    yield guarded(opened, Guard(Breaker(database)), lambda operation, seconds: None, Listeners(listen))
    opened.close()
