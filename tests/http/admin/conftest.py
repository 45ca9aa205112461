"""The admin app over an empty store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from admin_service.storage.opening import migrate
from admin_service.storage.sql import schema
from tests.http.admin.desk import Desk
from tests.migrated import emptied
from tests.servers.mariadb import MariaDB
from tests.servers.secantus import MongoServer, emptied_mongodb, mongodb_server

KINDS = [
    "sqlite",
    pytest.param("mariadb", marks=pytest.mark.mariadb),
    pytest.param("mongodb", marks=pytest.mark.mongodb),
]

__all__ = ["mongodb_server"]


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDB]:
    with MariaDB() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_mariadb(mariadb_server: MariaDB) -> str:
    """A migrated database, to be emptied."""
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


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, f"sqlite:///{tmp_path / 'store.db'}")
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def any_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """The same on each database."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    if request.param == "mariadb":
        url = emptied(request.getfixturevalue("migrated_mariadb"), schema.metadata)
    if request.param == "mongodb":
        url = emptied_mongodb(request.getfixturevalue("migrated_mongodb"))
    made = Desk(tmp_path, url)
    yield made
    made.close()
