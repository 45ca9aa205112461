"""Stores to hold to the contract: each test runs on every database, on one that is empty, behind what goes
round a store in the service: a closed breaker, and a listener that fails whatever it is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from common.resilience.breaker import Breaker
from common.resilience.guard import Guard
from tests.contract.builders import make_subscription
from tests.contract.telling import MOST
from tests.contract.world import World
from tests.invariants.stores import (
    KINDS,
    THREADS,
    database,
    store_url,
)
from tests.servers.mariadb import MariaDB
from tests.servers.secantus import MongoServer
from ticketing_service.domain.webhooks import Subscription
from ticketing_service.storage.changes import Change, Listeners
from ticketing_service.storage.guarded import guarded
from ticketing_service.storage.opening import open_store
from ticketing_service.storage.port import Store
from ticketing_service.wiring import BREAKERS

__all__ = ["database", "store_url"]


class ListenerFailed(Exception):
    """Must never reach who called the store."""


def fail(_: Change) -> None:
    """A listener at its worst."""
    raise ListenerFailed


def guard() -> Guard:
    """A closed breaker, as the service has it."""
    (database,) = (spec for spec in BREAKERS if spec.name == "database")
    return Guard(Breaker(database))


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    listeners = Listeners(fail)
    opened = open_store(store_url, THREADS, listeners.expired)
    yield guarded(opened, guard(), lambda operation, seconds: None, listeners)
    opened.close()


@pytest.fixture(params=KINDS)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database in which nothing is, not even tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    server: MariaDB | MongoServer = request.getfixturevalue(f"{request.param}_server")
    return server.new_database("new")


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


@pytest.fixture
def hears(store: Store) -> Subscription:
    """The destination's own subscription to everything."""
    return store.webhooks.create(make_subscription(), MOST)
