"""Slots: listing, changes by staff, cancellation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from common.identifiers import uuid7
from tests.contract.builders import FIRST_DAY, NOW, make_option
from tests.contract.world import World
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.slots import SlotChange, SlotStatus
from ticketing_service.storage.port import Store


def test_slots_are_listed_by_start_within_the_local_days(world: World) -> None:
    ticket = world.ticket()
    world.schedule(ticket, days=3, start_times=("14:00", "00:00", "23:30"))
    second = world.store.slots.between(
        ticket.id, FIRST_DAY + timedelta(days=1), FIRST_DAY + timedelta(days=1)
    )
    assert [slot.local_start.strftime("%d %H:%M") for slot in second] == ["02 00:00", "02 14:00", "02 23:30"]
    assert len(world.slots(ticket)) == 9
    assert all(slot.capacity == slot.vacancies == 10 for slot in second)


def test_slots_are_listed_by_option(world: World) -> None:
    ticket = world.ticket(options=(make_option(), make_option(default=False)))
    world.schedule(ticket)
    first, other = ticket.options
    assert len(world.store.slots.between(ticket.id, FIRST_DAY, FIRST_DAY, first.id)) == 1
    assert world.store.slots.between(ticket.id, FIRST_DAY, FIRST_DAY, other.id) == ()


def test_an_offer_is_the_slot_as_it_is_now_with_its_ticket(world: World) -> None:
    ticket = world.ticket()
    slot = world.slot(ticket)
    world.hold(slot, 3)
    world.sold(slot, 2)
    offers = world.store.slots.offers([slot.id, uuid7()])
    assert list(offers) == [slot.id]
    assert offers[slot.id].ticket == ticket
    (counter,) = offers[slot.id].slot.counters
    assert (counter.id, counter.capacity, counter.held, counter.sold) == (slot.id, 10, 3, 2)
    assert world.store.slots.offers([]) == {}


def test_changes_are_kept_and_counted(world: World) -> None:
    slot = world.slot()
    change = SlotChange(capacity=7, multiplier=Decimal("1.25"), closed=True)
    changed = world.store.slots.change(slot.id, change, NOW)
    assert changed == world.again(slot)
    assert (changed.capacity, changed.multiplier, changed.status) == (7, Decimal("1.25"), SlotStatus.CLOSED)
    assert changed.version == slot.version + 1
    assert world.store.slots.change(slot.id, SlotChange(closed=False), NOW) == replace(
        changed, status=SlotStatus.OPEN, version=slot.version + 2
    )


def test_a_capacity_can_end_and_begin_again(world: World) -> None:
    slot = world.slot()
    assert world.store.slots.change(slot.id, SlotChange(unlimited=True), NOW).capacity is None
    assert world.store.slots.change(slot.id, SlotChange(capacity=0), NOW).capacity == 0


def test_a_capacity_does_not_fall_below_what_is_held_or_sold(world: World) -> None:
    slot = world.slot()
    world.hold(slot, 2)
    world.sold(slot, 3)
    with pytest.raises(Refused) as refused:
        world.store.slots.change(slot.id, SlotChange(capacity=4, closed=True), NOW)
    assert refused.value.code is Code.CAPACITY_BELOW_TAKEN
    assert refused.value.facts == {"taken": 5}
    assert world.again(slot).status is SlotStatus.OPEN
    assert world.store.slots.change(slot.id, SlotChange(capacity=5), NOW).vacancies == 0


def test_the_capacity_of_one_shared_counter_can_be_changed_and_of_several_not(world: World) -> None:
    one = world.slot(world.ticket(options=(make_option(resource_ids=("boat",)),)))
    assert world.store.slots.change(one.id, SlotChange(capacity=3), NOW).capacity == 3
    two = world.slot(world.ticket(options=(make_option(resource_ids=("boat", "guide")),)))
    with pytest.raises(Refused) as refused:
        world.store.slots.change(two.id, SlotChange(capacity=3), NOW)
    assert (refused.value.code, refused.value.pointer) == (Code.CAPACITY_SHARED, "/capacity")
    assert world.store.slots.change(two.id, SlotChange(closed=True), NOW).status is SlotStatus.CLOSED


def test_an_unknown_slot_cannot_be_changed_or_cancelled(store: Store) -> None:
    for verb in (
        lambda: store.slots.change(uuid7(), SlotChange(capacity=1), NOW),
        lambda: store.slots.cancel(uuid7(), "storm", "staff", NOW),
    ):
        with pytest.raises(Refused) as refused:
            verb()
        assert refused.value.code is Code.SLOT_NOT_FOUND


def test_cancelling_a_slot_leaves_one_task_however_often(world: World) -> None:
    slot = world.slot()
    cancelled = world.store.slots.cancel(slot.id, "storm", "staff", NOW)
    assert cancelled == world.again(slot)
    assert cancelled.status is SlotStatus.CANCELLED
    assert world.store.slots.cancel(slot.id, "other", "staff", NOW) == cancelled
    (task,) = world.store.outbox.claim(NOW, NOW + timedelta(minutes=1), 10)
    assert task.kind == "slot-cancelled"
    assert task.payload == {"slotId": str(slot.id), "reason": "storm", "actor": "staff"}


def test_a_cancelled_slot_sells_and_changes_no_more(world: World) -> None:
    slot = world.slot()
    world.store.slots.cancel(slot.id, "storm", "staff", NOW)
    with pytest.raises(Refused) as refused:
        world.store.slots.change(slot.id, SlotChange(closed=False), NOW)
    assert refused.value.code is Code.SLOT_CANCELLED
    with pytest.raises(Refused):
        world.hold(slot)


def test_bookings_on_a_slot_are_those_with_a_live_unit_page_by_page(world: World) -> None:
    slot, other = world.slot(), world.slot()
    world.hold(slot)
    assert world.store.bookings.expire_due(NOW + timedelta(hours=1), 10) == 1
    live = sorted([world.hold(slot).id, world.sold(slot).id, world.sold(slot).id])
    world.hold(other)
    assert list(world.store.slots.bookings_on(slot.id, None, 10)) == live
    assert list(world.store.slots.bookings_on(slot.id, None, 2)) == live[:2]
    assert list(world.store.slots.bookings_on(slot.id, live[1], 2)) == live[2:]
