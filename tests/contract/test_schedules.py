"""Schedules: what a PUT makes, changes, removes and leaves alone."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from common.identifiers import uuid7
from tests.contract.builders import FIRST_DAY, NOW, make_option, make_schedule, planned
from tests.contract.world import World
from tests.counts import counts
from ticketing_service.domain.catalogue import AvailabilityType
from ticketing_service.domain.slots import (
    Closure,
    OpeningHours,
    Schedule,
    ScheduleOutcome,
    SlotChange,
    SlotStatus,
)
from ticketing_service.storage.port import Store


def _counted(outcome: ScheduleOutcome) -> tuple[int, int, int, int]:
    return outcome.created, outcome.changed, outcome.removed, len(outcome.conflicts)


def test_a_schedule_comes_back_as_it_was_put(world: World) -> None:
    ticket = world.ticket(availability_type=AvailabilityType.OPENING_HOURS)
    hours = (OpeningHours("09:00", "12:30"), OpeningHours("13:30", "01:00"))
    (rule,) = make_schedule(ticket, start_times=(), opening_hours=hours, multiplier=Decimal("1.50")).rules
    schedule = Schedule((rule, replace(rule, date_to=None, capacity=None)), (Closure(FIRST_DAY, FIRST_DAY),))
    world.put(ticket, schedule)
    assert world.store.slots.schedule(ticket.id) == schedule
    assert world.store.slots.schedule(uuid7()) is None
    assert world.slots(ticket)[0].opening_hours == hours


def test_putting_the_same_schedule_again_changes_nothing(world: World) -> None:
    ticket = world.ticket()
    assert _counted(world.schedule(ticket, days=3)) == (3, 0, 0, 0)
    before = world.slots(ticket)
    assert _counted(world.schedule(ticket, days=3)) == (0, 0, 0, 0)
    assert world.slots(ticket) == before


def test_a_slot_keeps_its_id_when_its_end_price_or_capacity_change(world: World) -> None:
    ticket = world.ticket()
    before = world.slot(ticket)
    outcome = world.schedule(ticket, duration_minutes=90, multiplier=Decimal("1.2"), capacity=25)
    assert _counted(outcome) == (0, 1, 0, 0)
    (after,) = world.slots(ticket)
    assert after.id == before.id
    assert after.ends_at == before.ends_at + timedelta(minutes=30)
    assert (after.multiplier, after.capacity, after.version) == (Decimal("1.2"), 25, before.version + 1)


def test_a_changed_cutoff_reaches_the_slots(world: World) -> None:
    ticket = world.ticket()
    before = world.slot(ticket)
    world.schedule(replace(ticket, cutoff_minutes=30))
    assert world.again(before).sales_end_at == before.sales_end_at + timedelta(minutes=90)


def test_what_is_not_planned_any_more_goes_when_nobody_booked_it(world: World) -> None:
    ticket = world.ticket()
    world.schedule(ticket, days=3)
    kept = world.slots(ticket)[0]
    assert _counted(world.schedule(ticket, days=1)) == (0, 0, 2, 0)
    assert world.slots(ticket) == (kept,)


def test_a_booked_slot_that_is_not_planned_any_more_is_closed_and_a_conflict(world: World) -> None:
    ticket = world.ticket()
    world.schedule(ticket, days=3)
    _, held, sold = world.slots(ticket)
    world.hold(held)
    world.sold(sold, 2)
    outcome = world.schedule(ticket, days=1)
    assert _counted(outcome) == (0, 0, 0, 2)
    assert [slot.id for slot in outcome.conflicts] == [held.id, sold.id]
    assert outcome.conflicts == (world.again(held), world.again(sold))
    assert all(slot.status is SlotStatus.CLOSED for slot in outcome.conflicts)
    assert outcome.conflicts[1].local_start == sold.local_start
    # and is one each time that the schedule is put
    assert world.schedule(ticket, days=1).conflicts == outcome.conflicts


def test_a_conflict_that_is_planned_again_is_opened_again(world: World) -> None:
    ticket = world.ticket()
    slot = world.slot(ticket)
    world.sold(slot)
    world.put(ticket, Schedule(()))
    assert world.again(slot).status is SlotStatus.CLOSED
    assert _counted(world.schedule(ticket)) == (0, 1, 0, 0)
    assert world.again(slot).status is SlotStatus.OPEN


def test_a_slot_whose_hold_expired_is_kept_as_the_booking_refers_to_it(world: World) -> None:
    ticket = world.ticket()
    slot = world.slot(ticket)
    world.hold(slot)
    world.store.bookings.expire_due(NOW + timedelta(hours=1), 10)
    assert [conflict.id for conflict in world.put(ticket, Schedule(())).conflicts] == [slot.id]


def test_a_capacity_falls_no_further_than_to_what_is_taken(world: World) -> None:
    ticket = world.ticket()
    world.schedule(ticket, days=2)
    crowded, empty = world.slots(ticket)
    world.sold(crowded, 4)
    outcome = world.schedule(ticket, days=2, capacity=3)
    assert [slot.id for slot in outcome.conflicts] == [crowded.id]
    assert (world.again(crowded).capacity, world.again(empty).capacity) == (4, 3)
    assert world.again(crowded).status is SlotStatus.OPEN


def test_a_cancelled_slot_stays_cancelled(world: World) -> None:
    ticket = world.ticket()
    slot = world.slot(ticket)
    cancelled = world.store.slots.cancel(slot.id, "storm", "staff", NOW)
    assert _counted(world.schedule(ticket, capacity=3)) == (0, 0, 0, 0)
    assert _counted(world.put(ticket, Schedule(()))) == (0, 0, 0, 0)
    assert world.again(slot) == cancelled


def test_what_has_begun_is_never_touched(world: World) -> None:
    ticket = world.ticket()
    world.schedule(ticket, days=2, start_times=("10:00", "15:00"))
    before = world.slots(ticket)
    noon = before[0].starts_at + timedelta(hours=2)
    outcome = world.put(ticket, Schedule(()), noon)
    assert _counted(outcome) == (0, 0, 3, 0)
    assert world.slots(ticket) == before[:1]
    outcome = world.schedule(ticket, noon, days=2, start_times=("09:00", "10:00", "16:00"), capacity=99)
    assert [slot.local_start.strftime("%d %H") for slot in world.slots(ticket)] == [
        "01 10",
        "01 16",
        "02 09",
        "02 10",
        "02 16",
    ]
    assert world.again(before[0]) == before[0]


def test_todays_day_slot_is_made_and_changed_until_its_sales_end(world: World) -> None:
    ticket = world.ticket(availability_type=AvailabilityType.OPENING_HOURS, cutoff_minutes=30)
    hours = (OpeningHours("09:00", "18:00"),)
    schedule = make_schedule(ticket, start_times=(), opening_hours=hours, first_day=NOW.date())
    noon = NOW.replace(hour=10)
    assert _counted(world.put(ticket, schedule, noon)) == (1, 0, 0, 0)
    more = make_schedule(ticket, start_times=(), opening_hours=hours, first_day=NOW.date(), capacity=25)
    assert _counted(world.put(ticket, more, noon)) == (0, 1, 0, 0)
    evening = NOW.replace(hour=17)
    assert _counted(world.put(ticket, schedule, evening)) == (0, 0, 0, 0)


def test_slots_of_one_resource_share_a_counter_for_each_start(world: World) -> None:
    boat = world.ticket("Boat", options=(make_option(resource_ids=("boat",)),))
    combined = world.ticket("Boat and lunch", options=(make_option(resource_ids=("boat", "table")),))
    slot = world.slot(boat, capacity=6)
    both = world.slot(combined, capacity=6)
    world.hold(slot, 4)
    assert len(both.counters) == 2
    assert world.again(both).vacancies == 2
    assert {counter.id for counter in slot.counters} < {counter.id for counter in both.counters}


def test_a_slot_without_bookings_can_draw_on_other_counters(world: World) -> None:
    ticket = world.ticket()
    slot = world.slot(ticket, capacity=5)
    (option,) = ticket.options
    shared = replace(ticket, options=(replace(option, resource_ids=("boat",)),))
    assert _counted(world.schedule(shared, capacity=8)) == (0, 1, 0, 0)
    after = world.again(slot)
    assert after.capacity == 8
    assert after.counters[0].id != slot.id
    assert _counted(world.schedule(ticket, capacity=5)) == (0, 1, 0, 0)
    assert [counter.id for counter in world.again(slot).counters] == [slot.id]


def test_a_booked_slot_keeps_its_counters_and_its_instant(world: World) -> None:
    ticket = world.ticket()
    slot = world.slot(ticket)
    world.sold(slot)
    (option,) = ticket.options
    shared = replace(ticket, options=(replace(option, resource_ids=("boat",)),))
    elsewhere = replace(ticket, time_zone="Asia/Tokyo")
    for changed in (shared, elsewhere):
        (conflict,) = world.schedule(changed).conflicts
        assert conflict == world.again(slot)
        assert conflict.status is SlotStatus.CLOSED
        assert [counter.id for counter in conflict.counters] == [slot.id]
        assert conflict.starts_at == slot.starts_at


def test_what_staff_closed_is_opened_by_the_schedule(world: World) -> None:
    ticket = world.ticket()
    slot = world.slot(ticket)
    world.store.slots.change(slot.id, SlotChange(closed=True), NOW)
    world.schedule(ticket)
    assert world.again(slot).status is SlotStatus.OPEN


def test_extending_adds_what_is_missing_and_leaves_what_staff_changed(world: World) -> None:
    ticket = world.ticket()
    schedule, longer = make_schedule(ticket), make_schedule(ticket, days=3)
    slot = world.slot(ticket)
    world.store.slots.change(slot.id, SlotChange(closed=True, capacity=4), NOW)
    closed = world.again(slot)

    def extend(known: Schedule, plan: Schedule) -> ScheduleOutcome:
        return world.store.slots.put_schedule(ticket, known, planned(ticket, plan), NOW, extending=True)

    assert _counted(extend(schedule, longer)) == (2, 0, 0, 0)
    assert world.again(slot) == closed
    assert len(world.slots(ticket)) == 3
    assert _counted(extend(longer, make_schedule(ticket, days=5))) == (
        0,
        0,
        0,
        0,
    )  # it was replaced meanwhile
    assert world.store.slots.schedule(ticket.id) == schedule


def test_open_ended_schedules_are_extended_oldest_first(world: World) -> None:
    old, new, ended = world.ticket(), world.ticket(), world.ticket()
    for ticket, day in ((new, 2), (old, 1)):
        (rule,) = make_schedule(ticket).rules
        world.put(ticket, Schedule((replace(rule, date_to=None),)), NOW + timedelta(days=day))
    world.schedule(ended)
    due = world.store.slots.schedules_to_extend
    assert due(NOW + timedelta(days=3), 10) == (old.id, new.id)
    assert due(NOW + timedelta(days=3), 1) == (old.id,)
    assert due(NOW + timedelta(days=2), 10) == (old.id,)
    assert due(NOW, 10) == ()


def test_a_schedule_of_an_unknown_ticket_is_not_kept(store: Store, world: World) -> None:
    ticket = world.ticket()
    schedule = make_schedule(ticket)
    with pytest.raises(Exception, match=r"(?i)foreign key|no such ticket"):
        store.slots.put_schedule(replace(ticket, id=uuid7()), schedule, planned(ticket, schedule), NOW)


@pytest.mark.load
def test_a_season_of_slots_is_made_changed_and_removed_within_seconds(world: World) -> None:
    days = counts(60, 400)
    ticket = world.ticket()
    starts = [f"{hour:02}:{minute:02}" for hour in range(8, 18) for minute in (0, 30)]
    for capacity, expected in ((10, (days * 20, 0, 0, 0)), (12, (0, days * 20, 0, 0))):
        began = time.monotonic()
        outcome = world.schedule(
            ticket, days=days, start_times=starts, capacity=capacity, first_day=NOW.date() + timedelta(days=1)
        )
        assert _counted(outcome) == expected
        print(f"{days * 20} slots: {time.monotonic() - began:.2f} s")
    began = time.monotonic()
    assert world.put(ticket, Schedule(())).removed == days * 20
    print(f"removed: {time.monotonic() - began:.2f} s")
