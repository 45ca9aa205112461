"""Every fault on every store; after each test the invariants still hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.beneath import Beneath
from tests.faults.plant import Plant
from tests.faults.sale import Sale
from tests.invariants.checker import check, explain
from tests.invariants.stores import (
    database,
    store,
    store_url,
)
from tests.servers.secantus import Secantus
from ticketing_service.storage.port import Store

__all__ = ["database", "store", "store_url"]


@pytest.fixture(scope="package")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """One for all tests of the whole product: each leaves it as it found it."""
    with Plant(tmp_path_factory.mktemp("plant")) as made:
        yield made


@pytest.fixture(scope="package")
def mongo_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """The same on MongoDB."""
    with Plant(tmp_path_factory.mktemp("plant"), Secantus) as made:
        yield made


@pytest.fixture
def sale(store: Store, database: Beneath) -> Iterator[Sale]:
    """A store to sell from; at the end its counters, money and history are looked over."""
    yield Sale(store)
    violations = check(database)
    assert not violations, explain(violations)
