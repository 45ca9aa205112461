"""Where writers take turns, a free sale is worked out before its own: it counts only if the booking is still
what it was then. Elsewhere it is worked out in the transaction, which the other contracts hold it to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.builders import NOW, make_admissions
from tests.contract.world import World
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import Booking, BookingStatus
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.pricing import PricedBooking
from ticketing_service.domain.refunds import plan_cancellation
from ticketing_service.storage.opening import migrate, open_store
from ticketing_service.storage.ports.bookings import Amendment, Cancellation

Meanwhile = Callable[[World, Booking], object]
LATER = NOW + timedelta(minutes=20)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    url = f"sqlite:///{tmp_path / 'turns.db'}"
    migrate(url)
    store = open_store(url, 4)
    yield World(store)
    store.close()


def _extend(world: World, held: Booking) -> None:
    world.store.bookings.extend(held.id, lambda _: LATER, NOW)


def _rename(world: World, held: Booking) -> None:
    world.store.bookings.amend(held.id, Amendment(contact={"name": "Bea"}), _no_price, "Bea", NOW)


def _cancel(world: World, held: Booking) -> None:
    cancellation = Cancellation(actor="Bea", reason="no time")
    world.store.bookings.cancel(held.id, lambda found: plan_cancellation(found, None, NOW), cancellation, NOW)


def _expire(world: World, held: Booking) -> None:
    assert world.store.bookings.expire_due(LATER, 10) == 1


def _confirm(world: World, held: Booking) -> None:
    world.store.bookings.confirm_free(held.id, make_admissions, "Bea", NOW)


def _no_price(*_: object) -> PricedBooking:
    raise AssertionError("no item changes")


def _sell(world: World, held: Booking, meanwhile: Meanwhile) -> Booking:
    """Confirm, while between the look ahead and the turn something else happens."""
    done: list[Booking] = []

    def issue(booking: Booking) -> list[Admission]:
        done.append(booking)
        if len(done) == 1:
            meanwhile(world, held)
        return make_admissions(booking)

    return world.store.bookings.confirm_free(held.id, issue, "Ann", NOW)


def test_what_was_foreseen_is_what_is_kept(world: World) -> None:
    slot = world.slot()
    held = world.hold(slot, 2)
    sold = _sell(world, held, lambda *_: None)
    assert (sold.status, sold.version) == (BookingStatus.CONFIRMED, 2)
    assert world.store.bookings.get(held.id) == sold
    assert [each.actor for each in world.store.bookings.history(held.id)] == ["guest", "Ann"]
    admissions = {each.id for each in world.store.admissions.of_booking(held.id)}
    assert {unit.admission_id for unit in sold.unit_items} == admissions
    assert len(admissions) == 2
    (counter,) = world.again(slot).counters
    assert (counter.held, counter.sold) == (0, 2)


@pytest.mark.parametrize("meanwhile", [_extend, _rename])
def test_what_was_changed_meanwhile_is_sold_as_it_is_now(world: World, meanwhile: Meanwhile) -> None:
    held = world.hold(world.slot())
    sold = _sell(world, held, meanwhile)
    assert (sold.status, sold.version) == (BookingStatus.CONFIRMED, 3)
    assert (sold.customer.name == "Bea", sold.expires_at == LATER) == (
        meanwhile is _rename,
        meanwhile is _extend,
    )
    assert world.store.bookings.get(held.id) == sold
    assert len(world.store.admissions.of_booking(held.id)) == 1


@pytest.mark.parametrize("meanwhile, code", [(_cancel, "BOOKING_CANCELLED"), (_expire, "BOOKING_EXPIRED")])
def test_what_has_ended_meanwhile_is_not_sold(world: World, meanwhile: Meanwhile, code: str) -> None:
    slot = world.slot()
    held = world.hold(slot)
    with pytest.raises(Refused) as refused:
        _sell(world, held, meanwhile)
    assert refused.value.code is Code[code]
    assert world.store.admissions.of_booking(held.id) == ()
    (counter,) = world.again(slot).counters
    assert (counter.held, counter.sold) == (0, 0)


def test_what_somebody_else_has_confirmed_meanwhile_is_sold_once(world: World) -> None:
    slot = world.slot()
    held = world.hold(slot)
    sold = _sell(world, held, _confirm)
    assert world.store.bookings.get(held.id) == sold
    assert [each.actor for each in world.store.bookings.history(held.id)] == ["guest", "Bea"]
    assert len(world.store.admissions.of_booking(held.id)) == 1
    (counter,) = world.again(slot).counters
    assert (counter.held, counter.sold) == (0, 1)
