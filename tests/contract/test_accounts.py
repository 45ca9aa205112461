"""Buying on account: net prices, what is owed, and credit that is taken and given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.identifiers import uuid7
from tests.beneath import Beneath
from tests.contract.builders import (
    FIRST_DAY,
    NOW,
    make_admissions,
    make_option,
    make_reseller,
    make_voucher,
    plain_unit,
)
from tests.contract.world import World, pricing
from tests.invariants.checker import check, explain
from ticketing_service.domain.bookings import Booking, PaymentStatus
from ticketing_service.domain.catalogue import RefundStep
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.orders import ItemOrder, UnitQuantity
from ticketing_service.domain.refunds import plan_cancellation
from ticketing_service.domain.resellers import Credit, Reseller
from ticketing_service.domain.slots import Slot
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.bookings import Amendment, Cancellation
from ticketing_service.storage.ports.ledger import RevenueQuery

LATER, AFTER = NOW + timedelta(minutes=1), NOW + timedelta(hours=1)
EUROS = Credit(currency="EUR", limit=5000)


@pytest.fixture
def reseller(store: Store) -> Reseller:
    terms: dict[str, Any] = {"markup_basis_points": 1000, "net_basis_points": 8000, "credit": (EUROS,)}
    return store.resellers.create(make_reseller(**terms))


@pytest.fixture
def slot(world: World) -> Slot:
    """At 10.00 a head, of which half comes back until the start."""
    option = make_option(plain_unit(1000))
    return world.slot(world.ticket(options=(option,), refund_policy=(RefundStep(0, 50),)))


@pytest.fixture(autouse=True)
def _no_invariant_broke(database: Beneath) -> Any:
    yield
    violations = check(database)
    assert not violations, explain(violations)


def _used(store: Store, reseller: Reseller) -> int:
    found = store.resellers.get(reseller.id)
    assert found is not None
    return found.credit[0].used


def _sold(world: World, slot: Slot, reseller: Reseller, quantity: int = 1) -> Booking:
    held = world.hold(slot, quantity, reseller=reseller)
    return world.store.bookings.confirm_free(held.id, make_admissions, "agency", LATER)


def _cancel(store: Store, booking: Booking, count: int | None = None, **how: Any) -> Booking:
    units = None if count is None else tuple(unit.id for unit in booking.unit_items[:count])
    cancellation = Cancellation(actor="agency", reason="changed plans")
    return store.bookings.cancel(
        booking.id, lambda found: plan_cancellation(found, units, LATER, **how), cancellation, LATER
    )


def _income(store: Store) -> tuple[int, int, int]:
    rows = store.ledger.revenue(RevenueQuery(day_from=NOW.date(), day_to=FIRST_DAY, group_by="channel"))
    return (
        sum(row.sales + row.fees for row in rows),
        sum(row.refunds for row in rows),
        sum(row.commission for row in rows),
    )


def test_the_price_is_marked_up_and_net_and_commission_are_kept(
    world: World, slot: Slot, reseller: Reseller
) -> None:
    world.store.vouchers.create(make_voucher("TENTH"))
    held = world.hold(slot, 2, reseller=reseller, voucher_code="TENTH")
    assert (held.price.items, held.price.discount, held.price.fee) == (2200, 220, 0)
    # 80 % of what is left of 10.00 each after the tenth is off; the markup is the reseller's own
    assert [(unit.paid, unit.net, unit.commission) for unit in held.unit_items] == [(990, 720, 58)] * 2
    assert (held.net, held.to_pay, held.on_account) == (1440, 0, True)
    assert world.store.bookings.get(held.id) == held
    guest = world.hold(slot)
    assert (guest.price.total, guest.unit_items[0].net, guest.net, guest.to_pay) == (1000, None, 0, 1000)


def test_a_booking_on_account_is_confirmed_without_a_payment(
    world: World, slot: Slot, reseller: Reseller
) -> None:
    store = world.store
    booking = _sold(world, slot, reseller, 2)
    assert (booking.status.value, booking.payment_status) == ("confirmed", PaymentStatus.ON_ACCOUNT)
    assert len(store.admissions.of_booking(booking.id)) == 2
    assert _used(store, reseller) == 1600
    assert _income(store) == (1600, 0, 128)
    with pytest.raises(Refused) as refused:
        store.payments.open_attempt(world.hold(slot, reseller=reseller).id, "http://localhost/", NOW)
    assert refused.value.code is Code.PAYMENT_NOT_NEEDED


def test_what_costs_nothing_needs_no_credit(world: World, store: Store) -> None:
    reseller = store.resellers.create(make_reseller())
    booking = _sold(world, world.slot(), reseller)
    assert booking.payment_status is PaymentStatus.NONE


def test_without_enough_credit_nothing_is_held(world: World, slot: Slot, reseller: Reseller) -> None:
    world.hold(slot, 6, reseller=reseller)
    with pytest.raises(Refused) as refused:
        world.hold(slot, 1, reseller=reseller)
    assert refused.value.code is Code.CREDIT_EXHAUSTED
    counter = world.again(slot).counters[0]
    assert (counter.held, counter.sold) == (6, 0)
    assert _used(world.store, reseller) == 4800
    other = world.store.resellers.create(make_reseller())  # one without any account
    with pytest.raises(Refused) as refused:
        world.hold(slot, 1, reseller=other)
    assert refused.value.code is Code.CREDIT_EXHAUSTED


def test_a_hold_that_ran_out_gives_its_credit_to_the_next(
    world: World, slot: Slot, reseller: Reseller
) -> None:
    world.hold(slot, 6, reseller=reseller)
    assert world.hold(slot, 5, now=AFTER, reseller=reseller).net == 4000
    assert _used(world.store, reseller) == 4000


def test_a_hold_that_is_given_back_or_swept_up_owes_nothing(
    world: World, slot: Slot, reseller: Reseller
) -> None:
    _cancel(world.store, world.hold(slot, 2, reseller=reseller))
    assert _used(world.store, reseller) == 0
    world.hold(slot, 3, reseller=reseller)
    assert world.store.bookings.expire_due(AFTER, 10) == 1
    assert _used(world.store, reseller) == 0
    assert _income(world.store) == (0, 0, 0)


def test_other_units_take_other_credit_all_or_nothing(world: World, slot: Slot, reseller: Reseller) -> None:
    store, held = world.store, world.hold(slot, 2, reseller=reseller)

    def amend(quantity: int) -> Booking:
        items = (ItemOrder(slot.id, (UnitQuantity(held.unit_items[0].unit_id, quantity),)),)
        order = _Ordered(items, reseller)
        return store.bookings.amend(held.id, Amendment(items=items), pricing(order), "agency", LATER)  # type: ignore[arg-type]

    assert amend(6).net == 4800
    assert _used(store, reseller) == 4800
    with pytest.raises(Refused) as refused:
        amend(7)
    assert refused.value.code is Code.CREDIT_EXHAUSTED
    assert _used(store, reseller) == 4800
    assert amend(1).net == 800
    assert _used(store, reseller) == 800


class _Ordered:
    """What `pricing` asks of an order."""

    def __init__(self, items: tuple[ItemOrder, ...], reseller: Reseller) -> None:
        self.items, self.reseller = items, reseller


def test_what_is_cancelled_is_owed_no_more_as_far_as_the_policy_says(
    world: World, slot: Slot, reseller: Reseller
) -> None:
    store, booking = world.store, _sold(world, slot, reseller, 3)
    part = _cancel(store, booking, 1)
    assert _used(store, reseller) == 2000
    assert (part.refunds, part.payment_status) == ((), PaymentStatus.ON_ACCOUNT)
    _cancel(store, booking)
    # half of it is owed all the same
    assert _used(store, reseller) == 1200
    assert _income(store)[:2] == (2400, 1200)
    counter = world.again(slot).counters[0]
    assert (counter.held, counter.sold) == (0, 0)


def test_what_the_destination_cancels_is_owed_no_more(world: World, slot: Slot, reseller: Reseller) -> None:
    store, booking = world.store, _sold(world, slot, reseller, 2)
    _cancel(store, booking, by_destination=True)
    assert _used(store, reseller) == 0
    assert _income(store) == (1600, 1600, 0)


def test_a_limit_does_not_fall_below_what_stands_open(world: World, slot: Slot, reseller: Reseller) -> None:
    store = world.store
    _sold(world, slot, reseller, 2)
    less = replace(reseller, credit=(replace(EUROS, limit=1599),))
    with pytest.raises(Refused) as refused:
        store.resellers.replace(less, 1)
    assert (refused.value.code, refused.value.facts) == (Code.CREDIT_BELOW_USED, {"used": 1600})
    assert refused.value.pointer == "/credit/0/limit"
    assert store.resellers.get(reseller.id) == replace(reseller, credit=(replace(EUROS, used=1600),))
    # once it has paid for that, the limit may go down, and the rest is credit again
    paid = store.resellers.replace(replace(reseller, credit=(replace(EUROS, limit=800, paid=1600),)), 1)
    assert paid.credit == (Credit(currency="EUR", limit=800, paid=1600, used=1600),)
    world.hold(slot, 1, reseller=paid)
    with pytest.raises(Refused):
        world.hold(slot, 1, reseller=paid)


def test_a_test_is_refused_where_a_real_booking_would_be_and_takes_nothing(
    world: World, slot: Slot, reseller: Reseller, database: Beneath
) -> None:
    store = world.store
    voucher = store.vouchers.create(make_voucher("ONCE", max_uses=1, max_uses_per_customer=1))
    for _ in range(3):
        held = world.hold(slot, 5, reseller=reseller, is_test=True, voucher_code="ONCE")
        assert (held.is_test, store.bookings.get(held.id)) == (True, held)
        assert store.vouchers.get(voucher.id) == voucher
        assert _used(store, reseller) == 0
        assert world.again(slot).counters[0].held == 0
    confirmed = store.bookings.confirm_free(held.id, make_admissions, "agency", LATER)
    assert (confirmed.status.value, confirmed.payment_status) == ("confirmed", PaymentStatus.ON_ACCOUNT)
    assert len(store.admissions.of_booking(held.id)) == 5
    assert store.bookings.by_email(held.customer.email, 10) == ()
    assert [task.kind for task in database.tables("outbox")["outbox"]] == ["document"]
    _cancel(store, confirmed, 1)
    _cancel(store, confirmed)
    assert _income(store) == (0, 0, 0)
    assert (_used(store, reseller), world.again(slot).counters[0].sold) == (0, 0)
    for quantity, code in ((7, Code.CREDIT_EXHAUSTED), (5, Code.SOLD_OUT)):
        with pytest.raises(Refused) as refused:
            world.hold(slot, quantity, reseller=reseller, is_test=True)
        assert refused.value.code is code
        world.hold(slot, 6 if code is Code.CREDIT_EXHAUSTED else 1)
    world.hold(slot, 1, voucher_code="ONCE")
    with pytest.raises(Refused) as refused:
        world.hold(slot, 1, reseller=reseller, is_test=True, voucher_code="ONCE")
    assert refused.value.code is Code.VOUCHER_EXHAUSTED


def test_a_test_that_is_changed_or_swept_up_takes_nothing_either(
    world: World, slot: Slot, reseller: Reseller
) -> None:
    store, held = world.store, world.hold(slot, 2, reseller=reseller, is_test=True)
    items = (ItemOrder(slot.id, (UnitQuantity(held.unit_items[0].unit_id, 4),)),)
    order = _Ordered(items, reseller)
    amended = store.bookings.amend(held.id, Amendment(items=items), pricing(order), "agency", LATER)  # type: ignore[arg-type]
    assert (amended.net, amended.is_test) == (3200, True)
    assert (_used(store, reseller), world.again(slot).counters[0].held) == (0, 0)
    assert store.bookings.expire_due(AFTER, 10) == 1
    assert world.again(slot).counters[0].held == 0


def test_tests_have_standing_holds_of_their_own(world: World, slot: Slot, store: Store) -> None:
    reseller = store.resellers.create(make_reseller(max_holds=1, credit=(EUROS,)))
    world.hold(slot, reseller=reseller, is_test=True)
    world.hold(slot, reseller=reseller)
    for is_test in (True, False):
        with pytest.raises(Refused) as refused:
            world.hold(slot, reseller=reseller, is_test=is_test)
        assert refused.value.code is Code.TOO_MANY_HOLDS


def test_each_currency_has_an_account_of_its_own(store: Store) -> None:
    made = make_reseller(credit=(EUROS, Credit(currency="CHF", limit=0, paid=20)))
    stored = store.resellers.create(made)
    assert stored == made
    more = replace(made, credit=(*made.credit, Credit(currency="GBP", limit=7)))
    assert store.resellers.replace(more, 1) == replace(more, version=2)
    assert store.resellers.page(10, None).items == (replace(more, version=2),)
    assert store.resellers.get(uuid7()) is None
