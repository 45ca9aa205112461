"""Cancelling: what ends, what is given back, and what is too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.refusals import RefusalCode
from tests.unit.domain.builders import NOW, START, booking, uid, with_status
from ticketing_service.domain.bookings import Booking, BookingStatus
from ticketing_service.domain.catalogue import RefundStep
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.refunds import plan_cancellation, refundable_percent

STEPS = (RefundStep(24, 50), RefundStep(72, 100), RefundStep(2, 10))
MILLISECOND = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "notice, percent",
    [
        (timedelta(hours=100), 100),
        (timedelta(hours=72), 100),
        (timedelta(hours=72) - MILLISECOND, 50),
        (timedelta(hours=24), 50),
        (timedelta(hours=24) - MILLISECOND, 10),
        (timedelta(hours=2), 10),
        (timedelta(hours=2) - MILLISECOND, None),
        (-MILLISECOND, None),
    ],
)
def test_the_longest_notice_that_is_kept_decides(notice: timedelta, percent: int | None) -> None:
    assert refundable_percent(STEPS, START, START - notice) == percent


def test_without_a_policy_cancellation_is_closed_and_nothing_can_be_had_after_the_start() -> None:
    assert refundable_percent((), START, NOW) is None
    assert refundable_percent((RefundStep(0, 100),), START, START) == 100
    assert refundable_percent((RefundStep(0, 100),), START, START + MILLISECOND) is None
    assert refundable_percent((RefundStep(-1, 100),), START, START + MILLISECOND) is None


def test_all_of_a_booking_is_refunded_but_the_fee() -> None:
    sold = booking()
    plan = plan_cancellation(sold, None, NOW)
    assert plan.whole
    assert plan.unit_ids == tuple(unit.id for unit in sold.unit_items)
    assert (plan.total, plan.fee_refund) == (3125, 0)


def test_a_part_is_refunded_by_its_own_units() -> None:
    sold = booking()
    child = sold.unit_items[2].id
    plan = plan_cancellation(sold, (child, child), NOW)
    assert not plan.whole
    assert dict(plan.refund_by_unit) == {child: 625}
    assert plan.total == 625


def test_the_destination_gives_everything_back_at_any_time() -> None:
    plan = plan_cancellation(booking(), None, START + timedelta(days=1), by_destination=True)
    assert (plan.total, plan.fee_refund) == (3375, 250)
    sold = booking()
    plan = plan_cancellation(sold, (sold.unit_items[0].id,), NOW, by_destination=True)
    assert (plan.total, plan.fee_refund) == (1250, 0)


def test_staff_may_decide_the_percentage() -> None:
    late = START + timedelta(hours=1)
    assert plan_cancellation(booking(), None, late, override_percent=0).total == 0
    # 33 % of 1250, 1250 and 625: 412.5, 412.5 and 206.25.
    assert plan_cancellation(booking(), None, late, override_percent=33).total == 413 + 413 + 206
    with pytest.raises(ValueError, match="percentage"):
        plan_cancellation(booking(), None, NOW, override_percent=101)


def test_a_hold_ends_whole_and_gives_nothing_back_however_late_it_is() -> None:
    held = booking(BookingStatus.ON_HOLD)
    plan = plan_cancellation(held, None, START + timedelta(hours=1))
    assert (plan.whole, plan.total, len(plan.unit_ids)) == (True, 0, 3)
    assert _refusal(held, (held.unit_items[0].id,)) == (Code.UNIT_ITEM_NOT_CANCELLABLE, "/unitItemIds")


def _refusal(
    sold: Booking, ids: tuple[UUID, ...] | None = None, late: bool = False
) -> tuple[RefusalCode, str | None]:
    with pytest.raises(Refused) as refused:
        plan_cancellation(sold, ids, START if late else NOW)
    return refused.value.code, refused.value.pointer


@pytest.mark.parametrize("used", [BookingStatus.REDEEMED, BookingStatus.NO_SHOW, BookingStatus.CANCELLED])
def test_what_was_used_cannot_be_cancelled_but_the_rest_can(used: BookingStatus) -> None:
    sold = booking()
    item = with_status(sold.items[0], used, BookingStatus.CONFIRMED, BookingStatus.CONFIRMED)
    sold = replace(sold, items=(item,))
    first, second, third = (unit.id for unit in item.units)
    assert _refusal(sold, (second, first)) == (Code.UNIT_ITEM_NOT_CANCELLABLE, "/unitItemIds/1")
    plan = plan_cancellation(sold, None, NOW)
    assert set(plan.unit_ids) == {second, third}
    assert plan.whole is (used is BookingStatus.CANCELLED)


def test_an_unknown_or_missing_unit_item_is_refused() -> None:
    sold = booking()
    assert _refusal(sold, (sold.unit_items[0].id, uid("x"))) == (Code.UNIT_ITEM_UNKNOWN, "/unitItemIds/1")
    assert _refusal(sold, ()) == (Code.UNIT_ITEM_UNKNOWN, "/unitItemIds")


@pytest.mark.parametrize(
    "status, code",
    [
        (BookingStatus.CANCELLED, Code.BOOKING_CANCELLED),
        (BookingStatus.EXPIRED, Code.BOOKING_EXPIRED),
        (BookingStatus.REDEEMED, Code.UNIT_ITEM_NOT_CANCELLABLE),
    ],
)
def test_a_booking_that_is_over_cannot_be_cancelled(status: BookingStatus, code: Code) -> None:
    assert _refusal(booking(status)) == (code, None)


def test_one_item_that_is_too_late_refuses_all_and_is_named() -> None:
    sold = booking(items=2)
    later = replace(sold.items[0], starts_at=START + timedelta(days=9), ends_at=START + timedelta(days=9))
    sold = replace(sold, items=(later, sold.items[1]))
    assert _refusal(sold, late=True) == (Code.CANCELLATION_CLOSED, None)
    ids = (sold.items[0].units[0].id, sold.items[1].units[0].id)
    assert _refusal(sold, ids, late=True) == (Code.CANCELLATION_CLOSED, "/unitItemIds/1")
    assert plan_cancellation(sold, ids[:1], START).total == 1250


def test_the_notice_of_a_day_ticket_counts_to_its_last_closing() -> None:
    sold = booking()
    (item,) = sold.items
    by_day = replace(item, terms=replace(item.terms, all_day=True))
    day_before = item.ends_at - timedelta(days=1)
    sold = replace(sold, items=(by_day,))
    assert plan_cancellation(sold, None, day_before).total == 3125
    assert sold.cancellable_until == day_before
    with pytest.raises(Refused):
        plan_cancellation(sold, None, day_before + MILLISECOND)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 100), st.sets(st.integers(0, 5), min_size=1))
def test_no_unit_gives_back_more_than_was_paid_for_it(percent: int, chosen: set[int]) -> None:
    sold = booking(items=2)
    ids = tuple(sold.unit_items[index].id for index in chosen)
    plan = plan_cancellation(sold, ids, NOW, override_percent=percent)
    paid = {unit.id: unit.paid for unit in sold.unit_items}
    assert all(0 <= amount <= paid[unit_id] for unit_id, amount in plan.refund_by_unit.items())
    assert plan.total == sum(plan.refund_by_unit.values())
    assert plan.whole is (len(chosen) == 6)
