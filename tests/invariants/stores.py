"""Fixtures: each test on every database, and every test ends with a look at the invariants."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beneath import Beneath, open_beneath
from tests.migrated import emptied, with_tables
from tests.servers.secantus import MongoServer, emptied_mongodb, patient
from ticketing_service.storage.opening import migrate, open_store
from ticketing_service.storage.port import Store
from ticketing_service.storage.sql import schema

SQL_KINDS = ["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)]
KINDS = [*SQL_KINDS, pytest.param("mongodb", marks=pytest.mark.mongodb)]
THREADS = 16


@pytest.fixture(params=KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database without rows."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'store.db'}"
        with_tables(url, migrate)
        return url
    if request.param == "mongodb":
        return _of_mongodb(request)
    return emptied(request.getfixturevalue("ticketing_mariadb"), schema.metadata)


def _of_mongodb(request: pytest.FixtureRequest) -> str:
    if request.node.get_closest_marker("load") is None:
        return emptied_mongodb(request.getfixturevalue("ticketing_mongodb"))
    patient(request.getfixturevalue("monkeypatch"))
    server: MongoServer = request.getfixturevalue("patient_mongodb_server")
    url = server.new_database("load")
    migrate(url)
    return url


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
