"""What the store keeps for the rest of the platform: its configuration, and people whose data is to go."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common.web.idempotency import Replayed
from tests.contract.builders import NOW, make_idempotency, make_option, plain_unit
from tests.contract.world import World
from ticketing_service.domain.bookings import Booking, BookingStatus, Customer
from ticketing_service.domain.errors import Refused
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.bookings import BookingQuery

EMAIL = "ann@example.org"
DOCUMENT = {"revision": 1, "values": {"sales.bookingFee": 300}, "mode": "normal"}


def test_the_last_document_is_kept(store: Store) -> None:
    assert store.platform.kept() is None
    store.platform.keep(DOCUMENT, NOW)
    store.platform.keep(DOCUMENT, NOW)
    assert store.platform.kept() == DOCUMENT
    store.platform.keep({**DOCUMENT, "mode": "read_only"}, NOW)
    assert store.platform.kept() == {**DOCUMENT, "mode": "read_only"}


def found(store: Store, email: str) -> tuple[Booking, ...]:
    return store.bookings.search(BookingQuery(email=email, limit=100)).items


def test_what_is_over_loses_its_customer_and_keeps_its_books(world: World, store: Store) -> None:
    option = make_option(plain_unit(0))
    slot = world.slot(world.ticket(options=(option,)))
    booking = world.sold(slot)
    email = booking.customer.email
    assert found(store, email)
    ends = max(item.ends_at for item in booking.items)
    early = store.people.erase(email, ends - timedelta(seconds=1))
    assert (early.bookings, early.open_bookings) == (0, 1)
    assert store.bookings.get(booking.id) == booking
    later = ends + timedelta(seconds=1)
    store.admissions.put_document(booking.id, booking.version, b"%PDF- with a name", later)
    done = store.people.erase(f" {email.upper()} ", later)
    assert (done.bookings, done.open_bookings) == (1, 0)
    kept = store.bookings.get(booking.id)
    assert kept is not None
    assert (kept.customer.name, kept.customer.phone) == ("-", None)
    assert kept.customer.email.endswith("@erased.invalid")
    assert (kept.reference, kept.price, kept.status) == (booking.reference, booking.price, booking.status)
    assert found(store, email) == ()
    assert store.admissions.document(booking.id, 0) is None
    again = store.people.erase(email, later)
    assert (again.bookings, again.open_bookings) == (0, 0)


def test_a_hold_that_has_ended_loses_its_customer_at_once(world: World, store: Store) -> None:
    held = world.hold(world.slot(), 1, NOW)
    assert store.people.erase(held.customer.email, NOW).open_bookings == 1
    store.bookings.expire_due(held.expires_at, 10)
    assert store.people.erase(held.customer.email, held.expires_at).bookings == 1
    kept = store.bookings.get(held.id)
    assert kept is not None
    assert kept.status is BookingStatus.EXPIRED
    assert kept.customer == Customer(name="-", email=kept.customer.email, language=held.customer.language)


def test_answers_that_show_it_are_kept_no_longer(world: World, store: Store) -> None:
    slot = world.slot()
    mine = world.hold(slot, 1, NOW)
    other = world.hold(slot, 1, NOW, customer=Customer(name="Bob", email="bob@example.org"))
    until = NOW + timedelta(minutes=20)

    def extend(booking: Booking, key: str) -> Booking:
        return store.bookings.extend(booking.id, lambda _: until, NOW, idempotency=make_idempotency(key))

    extend(mine, "m" * 16)
    extend(other, "o" * 16)
    for booking, key in ((mine, "m" * 16), (other, "o" * 16)):
        with pytest.raises(Replayed):
            extend(booking, key)
    store.bookings.expire_due(until, 10)
    assert store.people.erase(mine.customer.email, until).bookings == 1
    with pytest.raises(Refused):  # it is asked anew, and is over
        extend(mine, "m" * 16)
    with pytest.raises(Replayed) as kept:
        extend(other, "o" * 16)
    assert b"bob@example.org" in kept.value.answer.body


def test_bookings_of_one_person_stay_together_and_those_of_others_stay(world: World, store: Store) -> None:
    slot = world.slot()
    mine = [world.hold(slot, 1, NOW) for _ in range(2)]
    other = world.hold(slot, 1, NOW, customer=Customer(name="Bob", email="bob@example.org"))
    store.bookings.expire_due(mine[0].expires_at, 10)
    assert store.people.erase(mine[0].customer.email, mine[0].expires_at).bookings == 2
    kept = [store.bookings.get(booking.id) for booking in mine]
    assert len({booking.customer.email for booking in kept if booking is not None}) == 1
    untouched = store.bookings.get(other.id)
    assert untouched is not None
    assert untouched.customer == other.customer
