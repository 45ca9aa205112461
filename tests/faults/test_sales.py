"""Seats: never sold twice, always given back, counted in people."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from common.web.idempotency import KeyReused, Replayed
from tests.contract.builders import (
    NOW,
    make_idempotency,
    make_option,
    make_order,
    make_schedule,
    make_ticket,
    make_voucher,
    plain_unit,
)
from tests.contract.world import LIMITS, pricing
from tests.faults.sale import AFTER, HOLD, Sale
from ticketing_service.domain.bookings import BookingStatus
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.orders import ItemOrder, UnitQuantity
from ticketing_service.domain.slots import SlotChange
from ticketing_service.storage.opening import open_store

MILLISECOND = timedelta(milliseconds=1)


def _unit_of(sale: Sale, slot):  # the id of the slot's one unit
    return sale.store.slots.offers([slot.id])[slot.id].ticket.options[0].units[0].id


def test_the_last_unit_is_not_bought_twice_by_two_processes(sale: Sale, store_url: str) -> None:
    slot = sale.place(capacity=1)
    other = open_store(store_url, threads=1)
    sale.hold(slot)
    assert Sale(other).refusal(slot) is Code.SOLD_OUT
    other.close()


def test_an_abandoned_hold_gives_its_seats_back_without_any_worker(sale: Sale) -> None:
    slot = sale.place(capacity=3)
    abandoned = sale.hold(slot, 3)
    assert sale.refusal(slot, now=AFTER - MILLISECOND) is Code.SOLD_OUT
    sale.hold(slot, 2, AFTER)
    assert sale.now_of(abandoned).status is BookingStatus.EXPIRED
    assert sale.taken(slot) == (2, 0)


def test_with_every_hold_expired_and_the_worker_stopped_the_next_sale_succeeds(sale: Sale) -> None:
    slot = sale.place(capacity=40)
    for _ in range(40):
        sale.hold(slot)
    assert sale.refusal(slot) is Code.SOLD_OUT
    for _ in range(4):
        sale.hold(slot, 10, AFTER)
    assert sale.taken(slot) == (40, 0)


def test_a_hold_outlives_the_process_that_made_it_and_still_ends(sale: Sale, store_url: str) -> None:
    slot = sale.place(capacity=1)
    maker = open_store(store_url, threads=1)
    Sale(maker).hold(slot)
    maker.close()
    assert sale.refusal(slot) is Code.SOLD_OUT
    sale.hold(slot, now=AFTER)


def test_sweeping_twice_gives_seats_back_once(sale: Sale) -> None:
    slot = sale.place(capacity=5)
    sale.hold(slot, 3)
    sale.sold(slot, 2)
    assert sale.store.bookings.expire_due(AFTER, 100) == 1
    assert sale.store.bookings.expire_due(AFTER, 100) == 0
    assert sale.taken(slot) == (0, 2)


def test_a_hold_counts_to_the_last_millisecond_and_not_one_longer(sale: Sale) -> None:
    slot = sale.place(capacity=1)
    last = sale.hold(slot)
    assert sale.refusal(slot, now=AFTER - MILLISECOND) is Code.SOLD_OUT
    with pytest.raises(Refused) as refused:
        sale.confirm(last, AFTER)
    assert refused.value.code is Code.BOOKING_EXPIRED
    assert sale.hold(slot, now=AFTER).status is BookingStatus.ON_HOLD


def test_a_hold_confirmed_in_its_last_millisecond_is_good(sale: Sale) -> None:
    slot = sale.place(capacity=1)
    assert sale.confirm(sale.hold(slot), AFTER - MILLISECOND).status is BookingStatus.CONFIRMED
    assert sale.refusal(slot, now=AFTER) is Code.SOLD_OUT


def test_a_hold_that_ended_cannot_be_extended_into_a_seat_that_was_sold(sale: Sale) -> None:
    slot = sale.place(capacity=1)
    late = sale.hold(slot)
    sale.hold(slot, now=AFTER)
    with pytest.raises(Refused) as refused:
        sale.store.bookings.extend(late.id, lambda booking: AFTER + HOLD, AFTER)
    assert refused.value.code is Code.BOOKING_EXPIRED


def test_cancelling_returns_the_capacity_whole_and_in_part(sale: Sale) -> None:
    slot = sale.place(capacity=4)
    sold = sale.sold(slot, 4)
    assert sale.refusal(slot) is Code.SOLD_OUT
    sale.cancel(sold, units=1)
    assert sale.taken(slot) == (0, 3)
    sale.cancel(sold)
    assert sale.taken(slot) == (0, 0)
    sale.hold(slot, 4)


def test_cancelling_again_returns_nothing_more(sale: Sale) -> None:
    slot = sale.place(capacity=4)
    sale.sold(slot, 2)
    twice = sale.sold(slot, 2)
    sale.cancel(twice)
    assert sale.cancel(twice).status is BookingStatus.CANCELLED
    assert sale.taken(slot) == (0, 2)


def test_cancelling_a_hold_returns_its_seats_once_though_it_expires_too(sale: Sale) -> None:
    slot = sale.place(capacity=4)
    sale.cancel(sale.hold(slot, 3))
    sale.store.bookings.expire_due(AFTER, 100)
    assert sale.taken(slot) == (0, 0)


def test_two_items_of_one_order_are_checked_against_what_is_left_once(sale: Sale) -> None:
    slot = sale.place(capacity=3)
    two = ItemOrder(slot.id, (UnitQuantity(_unit_of(sale, slot), 2),))
    with pytest.raises(Refused) as refused:
        sale.hold_items(two, two)
    assert refused.value.code is Code.SOLD_OUT
    assert sale.taken(slot) == (0, 0)


def test_two_items_that_share_a_resource_are_checked_together(sale: Sale) -> None:
    boat = sale.place(capacity=3, resource_ids=("boat",))
    also = sale.place(capacity=3, resource_ids=("boat",))
    with pytest.raises(Refused) as refused:
        sale.hold_items(
            ItemOrder(boat.id, (UnitQuantity(_unit_of(sale, boat), 2),)),
            ItemOrder(also.id, (UnitQuantity(_unit_of(sale, also), 2),)),
        )
    assert refused.value.code is Code.SOLD_OUT
    assert sale.taken(boat) == sale.taken(also) == (0, 0)


def test_an_order_of_which_one_item_is_sold_out_takes_nothing(sale: Sale) -> None:
    free, full = sale.place(capacity=5), sale.place(capacity=0)
    with pytest.raises(Refused) as refused:
        sale.hold_items(
            ItemOrder(free.id, (UnitQuantity(_unit_of(sale, free), 2),)),
            ItemOrder(full.id, (UnitQuantity(_unit_of(sale, full), 1),)),
        )
    assert (refused.value.code, refused.value.pointer) == (Code.SOLD_OUT, "/items/1")
    assert sale.taken(free) == (0, 0)


def test_a_combo_draws_on_all_of_its_capacities_or_on_none(sale: Sale) -> None:
    hall = sale.place(capacity=1, resource_ids=("hall",))
    combo = sale.place(capacity=1, resource_ids=("garden", "hall"))
    sale.hold(hall)
    assert sale.refusal(combo) is Code.SOLD_OUT
    assert sorted(counter.held for counter in sale.again(combo).counters) == [0, 1]


def test_consuming_a_hold_moves_people_not_rows(sale: Sale) -> None:
    slot = sale.place(capacity=12, pax=2)
    first, second = sale.hold(slot, 3), sale.hold(slot, 2)
    assert sale.taken(slot) == (10, 0)
    sale.confirm(first)
    assert sale.taken(slot) == (4, 6)
    sale.confirm(second)
    assert sale.taken(slot) == (0, 10)


def test_capacity_counts_people_not_bookings(sale: Sale) -> None:
    slot = sale.place(capacity=10, pax=4)
    sale.sold(slot, 2)
    assert sale.refusal(slot) is Code.SOLD_OUT
    assert sale.again(slot).vacancies == 2


def test_raised_capacity_is_sold_at_once(sale: Sale) -> None:
    slot = sale.place(capacity=1)
    sale.sold(slot)
    assert sale.refusal(slot) is Code.SOLD_OUT
    sale.store.slots.change(slot.id, SlotChange(capacity=2), NOW)
    sale.hold(slot)
    assert sale.refusal(slot) is Code.SOLD_OUT


def test_raised_uses_of_a_voucher_are_given_at_once_in_total_and_to_each_customer(sale: Sale) -> None:
    slot = sale.place(capacity=None, price=1000)
    voucher = sale.store.vouchers.create(make_voucher("MORE", max_uses=1, max_uses_per_customer=1))
    sale.hold(slot, voucher_code="MORE")
    assert sale.refusal(slot, voucher_code="MORE") is Code.VOUCHER_EXHAUSTED
    sale.store.vouchers.replace(replace(voucher, max_uses=2, max_uses_per_customer=2), 1)
    sale.hold(slot, voucher_code="MORE")
    assert sale.refusal(slot, voucher_code="MORE") is Code.VOUCHER_EXHAUSTED


def test_capacity_is_not_lowered_below_what_is_taken(sale: Sale) -> None:
    slot = sale.place(capacity=5)
    sale.hold(slot, 1)
    sale.sold(slot, 2)
    with pytest.raises(Refused) as refused:
        sale.store.slots.change(slot.id, SlotChange(capacity=2), NOW)
    assert refused.value.code is Code.CAPACITY_BELOW_TAKEN
    sale.store.slots.change(slot.id, SlotChange(capacity=3), NOW)
    assert sale.refusal(slot) is Code.SOLD_OUT


def test_a_changed_hold_gives_back_what_it_held_and_holds_the_new(sale: Sale) -> None:
    old, new = sale.place(capacity=3), sale.place(capacity=3)
    held = sale.hold(old, 3)
    sale.amend(held, new, 2)
    assert sale.taken(old) == (0, 0)
    assert sale.taken(new) == (2, 0)


def test_a_hold_whose_change_is_refused_keeps_what_it_had(sale: Sale) -> None:
    old, full = sale.place(capacity=3), sale.place(capacity=1)
    held = sale.hold(old, 3)
    with pytest.raises(Refused) as refused:
        sale.amend(held, full, 2)
    assert refused.value.code is Code.SOLD_OUT
    assert sale.taken(old) == (3, 0)
    assert len(sale.now_of(held).unit_items) == 3


def test_a_hold_may_be_changed_within_its_own_seats(sale: Sale) -> None:
    slot = sale.place(capacity=3)
    held = sale.hold(slot, 3)
    assert len(sale.amend(held, slot, 3).unit_items) == 3
    assert sale.taken(slot) == (3, 0)


def test_ending_a_booking_releases_one_use_of_its_voucher_and_no_more(sale: Sale) -> None:
    slot = sale.place(capacity=None, price=1000)
    voucher = sale.store.vouchers.create(make_voucher("FEW", max_uses=3))
    first, *_ = (sale.hold(slot, voucher_code="FEW") for _ in range(3))
    sale.cancel(first)
    sale.cancel(first)
    found = sale.store.vouchers.get(voucher.id)
    assert found is not None
    assert found.used == 2
    sale.hold(slot, voucher_code="FEW")
    assert sale.refusal(slot, voucher_code="FEW") is Code.VOUCHER_EXHAUSTED


def test_a_voucher_that_is_switched_off_releases_nothing_that_it_did_not_hold(sale: Sale) -> None:
    slot = sale.place(capacity=5, price=1000)
    voucher = sale.store.vouchers.create(make_voucher("GONE", max_uses=3))
    held = sale.hold(slot, 2, voucher_code="GONE")
    sale.store.vouchers.replace(replace(voucher, active=False), 1)
    assert sale.taken(slot) == (2, 0)
    assert sale.refusal(slot, voucher_code="GONE") is Code.VOUCHER_NOT_VALID
    sale.cancel(held)
    found = sale.store.vouchers.get(voucher.id)
    assert found is not None
    assert found.used == 0


def test_a_made_up_voucher_code_gives_nothing(sale: Sale) -> None:
    assert sale.refusal(sale.place(), voucher_code="GUESS10") is Code.VOUCHER_UNKNOWN


def test_references_that_collide_do_not_fail_the_sale(sale: Sale) -> None:
    slot = sale.place(capacity=2)
    first = sale.hold(slot)
    second = sale.hold(slot, reference=first.reference)
    assert second.reference != first.reference
    assert sale.now_of(second).reference == second.reference


def test_sales_on_the_day_itself_end_two_hours_before_the_start_in_its_own_zone(sale: Sale) -> None:
    slot = sale.place(capacity=5)  # 10:00 in Amsterdam, which is 08:00 UTC in summer
    assert slot.starts_at.isoformat() == "2026-07-01T08:00:00+00:00"
    cutoff = slot.starts_at - timedelta(hours=2)
    assert sale.hold(slot, now=cutoff - MILLISECOND).status is BookingStatus.ON_HOLD
    assert sale.refusal(slot, now=cutoff) is Code.CUTOFF_PASSED


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "Europe/Amsterdam"])
@pytest.mark.parametrize("start", ["00:30", "23:30"])
def test_a_local_date_is_the_same_in_every_zone(sale: Sale, zone: str, start: str) -> None:
    ticket = sale.store.catalogue.create(make_ticket(time_zone=zone))
    sale.put(ticket, make_schedule(ticket, start_times=[start]))
    (slot,) = sale.slots(ticket)
    booked = sale.sold(slot)
    expected = datetime.fromisoformat(f"2026-07-01T{start}")
    assert slot.local_start == expected
    assert sale.now_of(booked).items[0].local_start == expected
    (admission,) = sale.store.admissions.of_booking(booked.id)
    assert admission.first_day == expected.date()


def test_a_refusal_or_a_crash_leaves_no_key_behind(sale: Sale) -> None:
    slot = sale.place(capacity=1)
    key = make_idempotency()

    def crash(result):
        raise ZeroDivisionError

    def hold(idempotency, quantity=1):
        order = make_order((slot.id, _unit_of(sale, slot), quantity))
        return sale.store.bookings.hold(
            order, pricing(order), LIMITS, NOW + HOLD, NOW, idempotency=idempotency
        )

    with pytest.raises(Refused):
        hold(key, quantity=2)
    with pytest.raises(ZeroDivisionError):
        hold(replace(key, render=crash))
    assert sale.taken(slot) == (0, 0)
    assert hold(key)
    with pytest.raises(Replayed):
        hold(key)
    with pytest.raises(KeyReused):
        hold(replace(key, fingerprint=b"x" * 32))
    assert sale.taken(slot) == (1, 0)


def test_availability_can_be_made_and_sold(sale: Sale) -> None:
    ticket = sale.ticket(options=(make_option(plain_unit()),))
    assert sale.schedule(ticket, days=3).created == 3
    assert sale.sold(sale.slots(ticket)[2]).status is BookingStatus.CONFIRMED
