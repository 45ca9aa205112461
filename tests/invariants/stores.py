"""Fixtures: each test on every database, and every test ends with a look at the invariants."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beneath import Beneath, open_beneath
from tests.migrated import emptied
from tests.servers.mariadb import MariaDB
from tests.servers.secantus import MongoServer, emptied_mongodb, mongodb_server
from ticketing_service.storage.opening import migrate, open_store
from ticketing_service.storage.port import Store
from ticketing_service.storage.sql import schema

__all__ = ["mongodb_server"]

KINDS = [
    "sqlite",
    pytest.param("mariadb", marks=pytest.mark.mariadb),
    pytest.param("mongodb", marks=pytest.mark.mongodb),
]
THREADS = 16


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDB]:
    """One server for all tests, started when the first asks for it."""
    with MariaDB() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_mariadb(mariadb_server: MariaDB) -> str:
    """A migrated database, to be emptied: migrating takes longer than most tests."""
    url = mariadb_server.new_database("invariants")
    migrate(url)
    return url


@pytest.fixture(scope="session")
def migrated_mongodb(mongodb_server: MongoServer) -> Iterator[str]:
    """The same on MongoDB."""
    url = mongodb_server.new_database("invariants")
    migrate(url)
    yield url
    mongodb_server.drop_database(url)


@pytest.fixture(params=KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database without rows."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "store.db")
        return f"sqlite:///{path}"
    if request.param == "mongodb":
        return emptied_mongodb(request.getfixturevalue("migrated_mongodb"))
    url: str = request.getfixturevalue("migrated_mariadb")
    return emptied(url, schema.metadata)


@pytest.fixture
def database(store_url: str) -> Iterator[Beneath]:
    """The database under the store, for what no port shows."""
    opened = open_beneath(store_url)
    yield opened
    opened.close()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = open_store(store_url, threads=THREADS)
    yield opened
    opened.close()
