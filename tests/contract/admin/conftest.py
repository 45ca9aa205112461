"""Stores of the admin service to hold to the contract: each test runs on every database, on one that is
empty, behind what goes round a store in the service: a closed breaker, and a listener that fails whatever it
is told.
"""

from __future__ import annotations

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
from tests.migrated import emptied, with_tables
from tests.servers.secantus import emptied_mongodb, patient


@pytest.fixture(params=KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A migrated database without rows."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'admin.db'}"
        with_tables(url, migrate)
        return url
    if request.param == "mongodb":
        patient(monkeypatch)
        return emptied_mongodb(request.getfixturevalue("admin_mongodb"))
    return emptied(request.getfixturevalue("admin_mariadb"), schema.metadata)


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
