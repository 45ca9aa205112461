"""The books of the capacity counters: what they count is what bookings take of them."""

from __future__ import annotations

from uuid import UUID

from tests.beneath import Beneath
from tests.contract.world import World


def _drifted(world: World, batch: int = 500) -> list[UUID]:
    found: list[UUID] = []
    after = None
    while True:
        counted = world.store.slots.count_again(after, batch)
        found += counted.drifted
        if counted.last is None:
            return found
        after = counted.last


def test_counters_are_what_holds_and_sales_add_up_to(world: World) -> None:
    slot = world.slot(capacity=20)
    world.hold(slot, 3)
    world.sold(slot, 2)
    world.hold(slot, 1, guest_network="192.0.2.7")
    world.slot(capacity=None)
    assert _drifted(world) == []
    assert _drifted(world, batch=1) == []


def test_a_counter_that_was_changed_behind_our_back_is_found(world: World, database: Beneath) -> None:
    slots = [world.slot(capacity=20) for _ in range(3)]
    for slot in slots:
        world.hold(slot, 2)
    database.miscount(slots[1].id)
    assert _drifted(world) == [slots[1].id]
    assert _drifted(world, batch=1) == [slots[1].id]
