"""What a reseller writes down with a booking, and what has become of it, on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.identifiers import uuid7
from tests.contract.builders import (
    FIRST_DAY,
    NOW,
    make_admissions,
    make_option,
    make_reseller,
    make_scan,
    plain_unit,
)
from tests.contract.world import World
from ticketing_service.domain.bookings import Booking, BookingStatus, Customer
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.refunds import plan_cancellation
from ticketing_service.domain.resale import Contact, Resale, ResoldUnit
from ticketing_service.domain.resellers import Credit, Reseller
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.bookings import Amendment, BookingQuery, Cancellation, Course

LATER = NOW + timedelta(minutes=1)
LEAD = Contact(full_name="Ann Lee", email="ann@example.org", locales=("en-GB", "nl"), country="NL")


def make_resale(uuid: UUID | None = None, **changes: Any) -> Resale:
    unit = ResoldUnit(uuid=uuid4(), unit_id=uuid7(), reference="U-1", contact=Contact(first_name="Bo"))
    made = Resale(
        uuid=uuid or uuid4(),
        request="f" * 64,
        reference="R-1",
        notes="by\nthe door",
        contact=LEAD,
        units=(unit,),
    )
    return replace(made, **changes)


@pytest.fixture
def reseller(store: Store) -> Reseller:
    return store.resellers.create(make_reseller(credit=(Credit(currency="EUR", limit=100_000),)))


def test_what_was_written_down_comes_back_and_is_found(world: World, reseller: Reseller) -> None:
    resale = make_resale()
    held = world.hold(world.slot(), reseller=reseller, resale=resale)
    assert held.resale == resale
    bookings = world.store.bookings
    assert bookings.get(held.id) == held
    assert bookings.by_resale_uuid(reseller.id, resale.uuid, is_test=False) == held
    assert bookings.resold_id(reseller.id, resale.uuid, is_test=False) == held.id
    assert bookings.resold_id(reseller.id, resale.uuid, is_test=True) is None
    assert bookings.by_resale_uuid(reseller.id, resale.uuid, is_test=True) is None
    assert bookings.by_resale_uuid(uuid7(), resale.uuid, is_test=False) is None
    assert bookings.by_resale_uuid(reseller.id, uuid4(), is_test=False) is None


def test_a_uuid_is_taken_once_by_each_reseller_and_a_refusal_takes_nothing(
    world: World, reseller: Reseller
) -> None:
    slot, resale = world.slot(capacity=5), make_resale()
    other = world.store.resellers.create(make_reseller("Other"))
    world.hold(slot, reseller=reseller, resale=resale)
    with pytest.raises(Refused) as refused:
        world.hold(slot, reseller=reseller, resale=replace(resale, reference="R-2"))
    assert refused.value.code is Code.RESALE_UUID_TAKEN
    world.hold(slot, reseller=other, resale=resale)
    world.hold(slot, reseller=reseller, resale=resale, is_test=True)
    # whose booking has no uuid may have as many as it likes
    world.hold(slot, reseller=reseller)
    world.hold(slot, reseller=reseller)
    assert world.again(slot).vacancies == 1


def test_bookings_are_found_by_reference_and_by_local_day(world: World, reseller: Reseller) -> None:
    ticket = world.ticket()
    world.schedule(ticket, days=3, start_times=("00:00", "23:30"))
    slots = world.slots(ticket)
    made = [
        world.hold(slot, reseller=reseller, resale=make_resale(reference=f"R-{number // 2}"))
        for number, slot in enumerate(slots)
    ]

    def found(**wanted: Any) -> set[UUID]:
        return {each.id for each in world.store.bookings.search(BookingQuery(**wanted)).items}

    assert found(reseller_id=reseller.id, resale_reference="R-1") == {made[2].id, made[3].id}
    assert found(reseller_id=uuid7(), resale_reference="R-1") == set()
    second, third = FIRST_DAY + timedelta(days=1), FIRST_DAY + timedelta(days=2)
    assert found(local_from=second, local_to=second) == {made[2].id, made[3].id}
    assert found(reseller_id=reseller.id, local_from=second) == {each.id for each in made[2:]}
    assert found(local_to=second) == {each.id for each in made[:4]}
    assert found(local_from=third + timedelta(days=1)) == set()


def test_it_changes_with_the_booking_and_when_it_is_confirmed(world: World, reseller: Reseller) -> None:
    resale = make_resale()
    held = world.hold(world.slot(), reseller=reseller, resale=resale, customer=Customer(name="", email=""))
    noted = Amendment(resale=lambda known: replace(known, notes="late"))
    amended = world.store.bookings.amend(held.id, noted, lambda *_: pytest.fail("unpriced"), "test", NOW)
    assert amended.resale == replace(resale, notes="late")
    named = Amendment(
        contact={"name": "Bo", "email": "bo@example.org"},
        resale=lambda known: replace(known, reference="R-9", mails=True),
    )
    confirm = world.store.bookings.confirm_free
    confirmed = confirm(held.id, make_admissions, "test", LATER, amendment=named)
    assert confirmed.status is BookingStatus.CONFIRMED
    assert confirmed.resale == replace(resale, notes="late", reference="R-9", mails=True)
    assert (confirmed.customer.name, confirmed.customer.email) == ("Bo", "bo@example.org")
    stored = world.store.bookings.get(held.id)
    assert stored == confirmed
    assert world.store.bookings.search(BookingQuery(resale_reference="R-9")).items == (confirmed,)
    nobody = world.hold(
        world.slot(), reseller=reseller, resale=make_resale(), customer=Customer(name="", email="")
    )
    unnamed = Amendment(contact={"name": "Bo"}, names_customer=True)
    with pytest.raises(Refused) as refused:
        confirm(nobody.id, make_admissions, "test", LATER, amendment=unnamed)
    assert refused.value.code is Code.CONTACT_REQUIRED
    assert world.store.bookings.get(nobody.id) == nobody
    # a repetition changes nothing any more
    assert (
        confirm(held.id, make_admissions, "test", LATER, amendment=Amendment(contact={"name": "X"})) == stored
    )


def course(world: World, booking: Booking) -> Course:
    """Of the booking as it is now, asked for by itself and beside another one."""
    now = world.store.bookings.get(booking.id)
    assert now is not None
    alone = world.store.bookings.courses([now])
    other = replace(now, id=uuid7())
    both = world.store.bookings.courses([now, other])
    assert (both[now.id], both[other.id].history) == (alone[now.id], ())
    offer = alone[now.id].offer
    assert offer is not None
    assert (offer.slot.id, offer.ticket.id) == (now.items[0].slot_id, now.items[0].ticket_id)
    return alone[now.id]


def test_the_course_of_a_booking_is_told(world: World, reseller: Reseller) -> None:
    slot = world.slot()
    held = world.hold(slot, 2, reseller=reseller, resale=make_resale())
    other = world.hold(slot, reseller=reseller, resale=make_resale())
    begun = course(world, held)
    assert (begun.history, begun.admissions, begun.used_at) == ((), {}, {})
    world.store.bookings.confirm_free(held.id, make_admissions, "test", LATER)
    admissions = world.store.admissions.of_booking(held.id)
    scan = make_scan(admissions[0])
    world.store.admissions.redeem(scan, lambda _: "entry", scan.scanned_at)
    later = make_scan(admissions[0], scanned_at=scan.scanned_at + timedelta(minutes=5))
    world.store.admissions.redeem(later, lambda _: "again", later.scanned_at)
    told = course(world, held)
    assert [row.to_status for row in told.history] == ["on_hold", "confirmed", "confirmed"]
    assert told.admissions == {each.unit_item_id: each for each in admissions}
    assert told.used_at == {admissions[0].unit_item_id: scan.scanned_at}
    assert set(world.store.bookings.courses([held, other])) == {held.id, other.id}
    assert world.store.bookings.courses([]) == {}


def test_what_a_reseller_was_given_back_is_told(world: World, reseller: Reseller) -> None:
    slot = world.slot(world.ticket(options=(make_option(plain_unit(1000)),)))
    held = world.hold(slot, 2, reseller=reseller, resale=make_resale())
    sold = world.store.bookings.confirm_free(held.id, make_admissions, "test", LATER)
    assert course(world, held).given_back == 0
    world.store.bookings.cancel(
        sold.id,
        lambda booking: plan_cancellation(booking, None, LATER),
        Cancellation(actor="test", reason="rain"),
        LATER,
    )
    assert course(world, held).given_back == 2000


def test_nobody_is_written_to_whom_the_reseller_tells_itself(world: World, reseller: Reseller) -> None:
    slot = world.slot()

    def letters() -> int:
        tasks = world.store.outbox.claim(LATER, LATER + timedelta(minutes=1), 100)
        return sum(task.kind == "mail" for task in tasks)

    for mails, email, expected in ((False, "a@example.org", 0), (True, "", 0), (True, "a@example.org", 1)):
        customer = Customer(name="Ann", email=email)
        held = world.hold(slot, reseller=reseller, resale=make_resale(mails=mails), customer=customer)
        world.store.bookings.confirm_free(held.id, make_admissions, "test", LATER)
        assert letters() == expected


def test_an_erased_customer_is_in_no_note_of_a_reseller(world: World, reseller: Reseller) -> None:
    resale = make_resale()
    held = world.hold(world.slot(), reseller=reseller, resale=resale)
    long_after = NOW + timedelta(days=90)
    world.store.bookings.expire_due(long_after, 10)
    world.store.people.erase(held.customer.email, long_after)
    erased = world.store.bookings.get(held.id)
    assert erased is not None
    assert erased.resale is not None
    assert (erased.resale.contact, erased.resale.notes) == (Contact(), None)
    assert [unit.contact for unit in erased.resale.units] == [Contact()]
    assert (erased.resale.uuid, erased.resale.reference) == (resale.uuid, "R-1")
    assert world.store.bookings.by_resale_uuid(reseller.id, resale.uuid, is_test=False) == erased
