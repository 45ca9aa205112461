"""Stores to hold to the contract: each test runs on every database, on one that is empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.world import World
from tests.invariants.stores import (
    KINDS,
    database,
    mariadb_server,
    migrated_file,
    migrated_mariadb,
    store,
    store_url,
)
from tests.servers.mariadb import MariaDB
from ticketing_service.storage.port import Store

__all__ = ["database", "mariadb_server", "migrated_file", "migrated_mariadb", "store", "store_url"]


@pytest.fixture(params=KINDS)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database in which nothing is, not even tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    server: MariaDB = request.getfixturevalue("mariadb_server")
    return server.new_database("new")


@pytest.fixture
def world(store: Store) -> World:
    return World(store)
