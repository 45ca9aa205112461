"""Resellers: versions, keys, whose a booking is, and how many may stand on hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from common.identifiers import uuid7
from tests.contract.builders import NOW, make_admissions, make_reseller, make_reseller_key
from tests.contract.world import World
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.refunds import plan_cancellation
from ticketing_service.domain.resellers import Reseller, Scope
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.bookings import BookingQuery, Cancellation

LATER = NOW + timedelta(minutes=1)
AFTER = NOW + timedelta(hours=1)


@pytest.fixture
def reseller(store: Store) -> Reseller:
    return store.resellers.create(make_reseller())


def test_a_reseller_comes_back_as_it_was_made(store: Store) -> None:
    made = make_reseller(ticket_ids=(uuid7(), uuid7()), active=False, max_holds=3)
    for each in (made, make_reseller(ticket_ids=()), make_reseller(ticket_ids=None)):
        assert store.resellers.create(each) == each
        assert store.resellers.get(each.id) == each
    assert store.resellers.get(uuid7()) is None


def test_a_replaced_reseller_has_the_next_version(store: Store, reseller: Reseller) -> None:
    changed = replace(reseller, name="Other", ticket_ids=(uuid7(),), max_holds=2, active=False)
    stored = store.resellers.replace(changed, 1)
    assert stored == replace(changed, version=2)
    assert store.resellers.get(reseller.id) == stored


def test_an_old_version_or_an_unknown_reseller_cannot_be_replaced(store: Store, reseller: Reseller) -> None:
    store.resellers.replace(reseller, 1)
    with pytest.raises(Refused) as refused:
        store.resellers.replace(replace(reseller, active=False), 1)
    assert (refused.value.code, refused.value.facts) == (Code.VERSION_CONFLICT, {"version": 2})
    with pytest.raises(Refused) as refused:
        store.resellers.replace(make_reseller(), 1)
    assert refused.value.code is Code.RESELLER_NOT_FOUND


def test_pages_show_the_newest_first_and_each_once(store: Store) -> None:
    made = [store.resellers.create(make_reseller(f"number {number}")) for number in range(5)]
    first = store.resellers.page(3, None)
    second = store.resellers.page(3, first.next_cursor)
    assert (*first.items, *second.items) == tuple(reversed(made))
    assert second.next_cursor is None


def test_a_reseller_has_several_keys_and_loses_them_one_by_one(store: Store, reseller: Reseller) -> None:
    other = store.resellers.create(make_reseller("Other"))
    keys = [
        store.resellers.add_key(make_reseller_key(each, scopes=scopes))
        for each, scopes in ((reseller, (Scope.READ,)), (reseller, tuple(Scope)), (other, tuple(Scope)))
    ]
    assert store.resellers.keys(reseller.id, 10, None).items == (keys[1], keys[0])
    assert store.resellers.keys(reseller.id, 1, None).items == (keys[1],)
    revoked = store.resellers.revoke_key(reseller.id, keys[0].id, LATER)
    assert revoked == replace(keys[0], revoked_at=LATER)
    assert store.resellers.revoke_key(reseller.id, keys[0].id, AFTER) == revoked
    known = {each.key: each.reseller for each in store.resellers.credentials()}
    assert known == {keys[1]: reseller, keys[2]: other}


def test_nobody_revokes_the_key_of_another_reseller_nor_makes_one_for_nobody(
    store: Store, reseller: Reseller
) -> None:
    key = store.resellers.add_key(make_reseller_key(reseller))
    for reseller_id, key_id in ((uuid7(), key.id), (reseller.id, uuid7())):
        with pytest.raises(Refused) as refused:
            store.resellers.revoke_key(reseller_id, key_id, NOW)
        assert refused.value.code is Code.API_KEY_NOT_FOUND
    with pytest.raises(Refused) as refused:
        store.resellers.add_key(make_reseller_key(make_reseller()))
    assert refused.value.code is Code.RESELLER_NOT_FOUND
    assert [each.key for each in store.resellers.credentials()] == [key]


def test_the_last_use_of_a_key_is_the_latest_that_was_told(store: Store, reseller: Reseller) -> None:
    key = store.resellers.add_key(make_reseller_key(reseller))
    for moment in (LATER, AFTER, NOW):
        store.resellers.used({key.id: moment, uuid7(): moment})
    (kept,) = store.resellers.keys(reseller.id, 10, None).items
    assert kept == replace(key, last_used_at=AFTER)


def test_every_change_is_another_generation_and_a_use_is_none(store: Store, reseller: Reseller) -> None:
    seen = [store.resellers.generation()]
    key = make_reseller_key(reseller)
    for change in (
        lambda: store.resellers.add_key(key),
        lambda: store.resellers.replace(reseller, 1),
        lambda: store.resellers.revoke_key(reseller.id, key.id, NOW),
        lambda: store.resellers.create(make_reseller()),
    ):
        change()
        seen.append(store.resellers.generation())
    assert len(set(seen)) == len(seen)
    store.resellers.used({key.id: NOW})
    store.resellers.revoke_key(reseller.id, key.id, NOW)
    assert store.resellers.generation() == seen[-1]


def test_a_booking_says_whose_it_is_and_a_reseller_finds_its_own(world: World, reseller: Reseller) -> None:
    slot, other = world.slot(), world.store.resellers.create(make_reseller("Other"))
    mine = [world.hold(slot, reseller=reseller) for _ in range(3)]
    world.hold(slot, reseller=other)
    world.hold(slot)
    assert {each.reseller_id for each in mine} == {reseller.id}
    search = world.store.bookings.search
    first = search(BookingQuery(reseller_id=reseller.id, limit=2))
    second = search(BookingQuery(reseller_id=reseller.id, limit=2, cursor=first.next_cursor))
    assert [each.id for each in (*first.items, *second.items)] == [each.id for each in reversed(mine)]
    assert search(BookingQuery(reseller_id=uuid7())).items == ()


def test_standing_holds_stop_at_the_limit_whoever_they_are_for(world: World, store: Store) -> None:
    reseller = store.resellers.create(make_reseller(max_holds=2))
    slot = world.slot()
    for _ in range(2):
        world.hold(slot, reseller=reseller)
    with pytest.raises(Refused) as refused:
        world.hold(slot, reseller=reseller)
    assert refused.value.code is Code.TOO_MANY_HOLDS
    world.hold(slot, reseller=store.resellers.create(make_reseller("Other", max_holds=1)))
    world.hold(slot)
    # the rule of this moment counts, not that of the first hold
    world.hold(slot, reseller=replace(reseller, max_holds=3))


@pytest.mark.parametrize("end", ["confirm", "cancel", "expire"])
def test_a_hold_that_ends_makes_room_for_the_next(world: World, store: Store, end: str) -> None:
    reseller = store.resellers.create(make_reseller(max_holds=1))
    slot = world.slot()
    held = world.hold(slot, reseller=reseller)
    if end == "confirm":
        store.bookings.confirm_free(held.id, make_admissions, "test", LATER)
    if end == "cancel":
        cancellation = Cancellation(actor="test", reason="changed plans")
        store.bookings.cancel(held.id, lambda it: plan_cancellation(it, None, LATER), cancellation, LATER)
    assert world.hold(slot, reseller=reseller, now=AFTER).reseller_id == reseller.id
