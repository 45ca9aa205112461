"""What a run asks the store past the service, it is told alike whatever store it is."""

from __future__ import annotations

import pytest

from load import stored
from tests.contract.world import World
from tests.invariants.stores import store, store_url
from ticketing_service.storage.port import Store

__all__ = ["store", "store_url"]


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def test_bookings_and_tasks_are_counted(world: World, store_url: str) -> None:
    slot, other = world.slot(capacity=20), world.slot(capacity=20)
    held, bought, elsewhere = world.hold(slot), world.sold(slot, 2), world.sold(other)
    assert stored.sold(store_url) == 2
    assert stored.backlog(store_url) > 0
    found = {key: people for key, _, people in stored.standing(store_url, slot.id)}
    assert found == {held.id: 1, bought.id: 2}
    assert [key for key, _, _ in stored.standing(store_url, other.id)] == [elsewhere.id]
    assert {email for _, email, _ in stored.standing(store_url, slot.id)} == {held.customer.email}
