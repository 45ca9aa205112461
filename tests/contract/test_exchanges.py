"""Other places for what was sold on account: all or nothing, and never for more, on every store."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.beneath import Beneath
from tests.contract.builders import NOW, make_admissions, make_option, make_reseller, plain_unit
from tests.contract.test_resale import make_resale
from tests.contract.world import World, pricing
from tests.invariants.checker import check, explain
from ticketing_service.domain.bookings import Booking, BookingStatus
from ticketing_service.domain.catalogue import RefundStep, UnitType
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.orders import ItemOrder, UnitQuantity
from ticketing_service.domain.refunds import plan_cancellation
from ticketing_service.domain.resale import ResoldUnit
from ticketing_service.domain.resellers import Credit, Reseller
from ticketing_service.domain.slots import Slot
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.bookings import Amendment, Cancellation

LATER = NOW + timedelta(minutes=1)
FREE = (RefundStep(0, 100),)


@pytest.fixture
def reseller(store: Store) -> Reseller:
    credit = (Credit(currency="EUR", limit=100_000),)
    return store.resellers.create(make_reseller(net_basis_points=8000, credit=credit))


@pytest.fixture(autouse=True)
def _no_invariant_broke(database: Beneath) -> Any:
    yield
    violations = check(database)
    assert not violations, explain(violations)


def _slot(world: World, price: int = 1000, capacity: int = 10, **ticket: Any) -> Slot:
    units = (plain_unit(price), replace(plain_unit(price // 2), type=UnitType.CHILD))
    made = world.ticket(f"At {price}", **{"options": (make_option(*units),), "refund_policy": FREE, **ticket})
    return world.slot(made, capacity=capacity)


def _units(store: Store, slot: Slot) -> tuple[Any, Any]:
    option = store.slots.offers([slot.id])[slot.id].ticket.option(slot.option_id)
    assert option is not None
    adult, child = option.units
    return adult.id, child.id


def _sold(world: World, slot: Slot, reseller: Reseller, quantity: int = 2, **order: Any) -> Booking:
    adult, _ = _units(world.store, slot)
    names = tuple(ResoldUnit(uuid=uuid4(), unit_id=adult) for _ in range(quantity))
    held = world.hold(slot, quantity, reseller=reseller, resale=make_resale(units=names), **order)
    return world.store.bookings.confirm_free(held.id, make_admissions, "agency", LATER)


class _Order:
    """What `pricing` asks of an order."""

    def __init__(self, items: tuple[ItemOrder, ...], reseller: Reseller) -> None:
        self.items, self.reseller = items, reseller


def _moved(
    store: Store, booking: Booking, slot: Slot, reseller: Reseller, *counts: int, **more: Any
) -> Booking:
    quantities = zip(_units(store, slot), counts, strict=False)
    items = (ItemOrder(slot.id, tuple(UnitQuantity(unit, count) for unit, count in quantities if count)),)
    amendment = Amendment(items=items, issue=make_admissions, **more)
    return store.bookings.amend(booking.id, amendment, pricing(_Order(items, reseller)), "agency", LATER)  # type: ignore[arg-type]


def _taken(world: World, slot: Slot) -> tuple[int, int]:
    counter = world.again(slot).counters[0]
    return counter.held, counter.sold


def _used(store: Store, reseller: Reseller) -> int:
    found = store.resellers.get(reseller.id)
    assert found is not None
    return found.credit[0].used


def _good(store: Store, booking: Booking) -> set[Any]:
    return {each.id for each in store.admissions.of_booking(booking.id) if each.cancelled_at is None}


def test_it_moves_and_what_it_costs_less_is_given_back(world: World, reseller: Reseller) -> None:
    store, old, new = world.store, _slot(world), _slot(world, 900)
    booking = _sold(world, old, reseller)
    before = _good(store, booking)
    moved = _moved(store, booking, new, reseller, 2)
    assert store.bookings.get(booking.id) == moved
    assert (moved.status, moved.version) == (BookingStatus.CONFIRMED, booking.version + 1)
    assert (moved.items[0].slot_id, moved.items[0].id) == (new.id, booking.items[0].id)
    assert (moved.price.total, moved.net) == (1800, 1440)
    assert moved.resale is not None
    assert booking.resale is not None
    assert [unit.uuid for unit in moved.resale.units] == [unit.uuid for unit in booking.resale.units]
    assert (_taken(world, old), _taken(world, new)) == ((0, 0), (0, 2))
    assert _used(store, reseller) == 1440
    assert not before & _good(store, moved)
    assert _good(store, moved) == {unit.admission_id for unit in moved.unit_items}
    course = store.bookings.courses([moved])[moved.id]
    assert {each.id for each in course.admissions.values()} == _good(store, moved)
    back = _moved(store, moved, old, reseller, 0, 3)
    assert (back.price.total, _used(store, reseller)) == (1500, 1200)
    assert (_taken(world, old), _taken(world, new)) == ((0, 3), (0, 0))
    plan = lambda found: plan_cancellation(found, None, LATER)  # noqa: E731
    ended = store.bookings.cancel(booking.id, plan, Cancellation(actor="agency", reason="rain"), LATER)
    assert (_used(store, reseller), _taken(world, old)) == (0, (0, 0))
    assert store.bookings.courses([ended])[ended.id].given_back == ended.net


def test_who_stays_keeps_the_admission(world: World, reseller: Reseller) -> None:
    store, slot = world.store, _slot(world)
    booking = _sold(world, slot, reseller)
    adult, child = _units(store, slot)
    assert booking.resale is not None
    first, second = booking.resale.units
    names = (second, ResoldUnit(uuid=first.uuid, unit_id=child))
    changed = _moved(store, booking, slot, reseller, 1, 1, names=names)
    assert [unit.unit_id for unit in changed.unit_items] == [adult, child]
    # by name: the second goes on as itself, the first is now a child
    assert [unit.id for unit in changed.unit_items] == [u.id for u in reversed(booking.unit_items)]
    assert changed.unit_items[0].admission_id == booking.unit_items[1].admission_id
    assert changed.unit_items[1].admission_id != booking.unit_items[0].admission_id
    assert changed.resale is not None
    assert changed.resale.units == names
    assert (_taken(world, slot), _used(store, reseller)) == ((0, 2), 1200)
    fewer = _moved(store, changed, slot, reseller, 1)
    assert sorted(unit.status for unit in fewer.unit_items) == ["cancelled", "confirmed"]
    assert (_taken(world, slot), _used(store, reseller)) == ((0, 1), 800)
    assert fewer.price.total == 1500, "what was ever sold with it"
    assert fewer.resale is not None
    assert {unit.uuid for unit in fewer.resale.units} == {first.uuid, second.uuid}


@pytest.mark.parametrize("price, capacity, code", [(1001, 10, Code.TOTAL_RISES), (1000, 1, Code.SOLD_OUT)])
def test_a_refusal_changes_nothing(
    world: World, reseller: Reseller, price: int, capacity: int, code: Code
) -> None:
    store, old, new = world.store, _slot(world), _slot(world, price, capacity)
    booking = _sold(world, old, reseller)
    good = _good(store, booking)
    with pytest.raises(Refused) as refused:
        _moved(store, booking, new, reseller, 2)
    assert refused.value.code is code
    assert store.bookings.get(booking.id) == booking
    assert (_taken(world, old), _taken(world, new)) == ((0, 2), (0, 0))
    assert (_used(store, reseller), _good(store, booking)) == (1600, good)


def test_what_cannot_be_given_back_for_nothing_stays(world: World, reseller: Reseller) -> None:
    store, new = world.store, _slot(world)
    half = _sold(world, _slot(world, refund_policy=(RefundStep(0, 50),)), reseller)
    paid = world.hold(_slot(world, 0))
    paid = store.bookings.confirm_free(paid.id, make_admissions, "guest", LATER)
    for booking, code in ((half, Code.CANCELLATION_CLOSED), (paid, Code.BOOKING_NOT_ON_HOLD)):
        with pytest.raises(Refused) as refused:
            _moved(store, booking, new, reseller, 1)
        assert refused.value.code is code
        assert store.bookings.get(booking.id) == booking


def test_a_test_takes_nothing_by_it(world: World, reseller: Reseller) -> None:
    store, old, new = world.store, _slot(world), _slot(world, 1000, 2)
    booking = _sold(world, old, reseller, is_test=True)
    moved = _moved(store, booking, new, reseller, 2)
    assert (moved.items[0].slot_id, moved.is_test) == (new.id, True)
    assert (_taken(world, old), _taken(world, new), _used(store, reseller)) == ((0, 0), (0, 0), 0)
    world.hold(new, 1)
    with pytest.raises(Refused) as refused:
        _moved(store, _sold(world, old, reseller, is_test=True), new, reseller, 2)
    assert refused.value.code is Code.SOLD_OUT


def test_no_more_move_to_a_slot_than_it_has_places(world: World, reseller: Reseller) -> None:
    store, old, new = world.store, _slot(world), _slot(world, capacity=2)
    bookings = [_sold(world, old, reseller, 1) for _ in range(5)]
    plan = lambda found: plan_cancellation(found, None, LATER)  # noqa: E731

    def moved(booking: Booking) -> str:
        try:
            return _moved(store, booking, new, reseller, 1).items[0].slot_id.hex
        except Refused as refused:
            return refused.code.name

    def cancelled(booking: Booking) -> str:
        cancellation = Cancellation(actor="agency", reason="rain")
        return store.bookings.cancel(booking.id, plan, cancellation, LATER).status

    with ThreadPoolExecutor(6) as pool:
        ended = pool.submit(cancelled, bookings[4])
        outcomes = Counter(pool.map(moved, bookings))
        assert ended.result() == "cancelled"
    stays = outcomes["SOLD_OUT"] + outcomes["BOOKING_CANCELLED"] + outcomes[new.id.hex]
    assert stays == 5, outcomes
    # the one that is cancelled may have moved before, and made room for another one
    assert 2 <= outcomes[new.id.hex] <= 3
    held = Counter(store.bookings.get(each.id).items[0].slot_id for each in bookings[:4])  # type: ignore[union-attr]
    assert _taken(world, new) == (0, held[new.id])
    assert _taken(world, old) == (0, held[old.id])
    assert _used(store, reseller) == 4 * 800
