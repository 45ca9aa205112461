"""A listener of what a store tells, and a sale over a store that it listens to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.contract.conftest import fail, guard
from tests.faults.sale import Sale
from ticketing_service.storage.changes import Change, Listeners
from ticketing_service.storage.guarded import guarded
from ticketing_service.storage.opening import open_store
from ticketing_service.storage.port import Store


class Heard:
    """A listener that writes down what it is told, and what the store shows to others at that moment."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.shown: list[list[str]] = []
        self.asked: Callable[[], list[str]] = list

    def __call__(self, change: Change) -> None:
        self.changes.append(change)
        self.shown.append(self.asked())

    def taken(self) -> list[Change]:
        """What was told since the last time."""
        told, self.changes, self.shown = self.changes, [], []
        return told


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def bare(store_url: str, heard: Heard) -> Iterator[Store]:
    """The store itself; whoever is told of it is told after a listener that fails."""
    opened = open_store(store_url, 4, Listeners(fail, heard).expired)
    yield opened
    opened.close()


@pytest.fixture
def sale(bare: Store, heard: Heard) -> Sale:
    return Sale(guarded(bare, guard(), lambda operation, seconds: None, Listeners(fail, heard)))
