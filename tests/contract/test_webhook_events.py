"""What webhooks tell of changes, written in their commits, and who hears it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from common.web.idempotency import Replayed
from tests.contract.builders import (
    NOW,
    make_admissions,
    make_idempotency,
    make_order,
    make_poi,
    make_reseller,
    make_subscription,
)
from tests.contract.telling import AFTER, EVERYTHING, LATER, MOST, told
from tests.contract.world import LIMITS, World, pricing
from ticketing_service.domain.errors import Refused
from ticketing_service.domain.refunds import plan_cancellation
from ticketing_service.domain.slots import SlotChange
from ticketing_service.domain.webhooks import (
    Delivery,
    EventType,
    Subscription,
)
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.bookings import Amendment, Cancellation


def of(kind: EventType, deliveries: list[Delivery]) -> list[Delivery]:
    return [each for each in deliveries if each.type is kind]


def test_what_nobody_wants_is_not_written(world: World, store: Store) -> None:
    reseller = store.resellers.create(make_reseller())
    world.hold(world.slot())
    off = store.webhooks.create(make_subscription(active=False), MOST)
    only = store.webhooks.create(make_subscription(reseller, events=(EventType.BOOKING,)), MOST)
    world.hold(world.slot())
    assert store.webhooks.spread(NOW, EVERYTHING) == 0
    assert told(store, off) == told(store, only) == []


def test_every_version_of_a_booking_is_told_in_order(world: World, store: Store, hears: Subscription) -> None:
    slot = world.slot()
    held = world.hold(slot, 2)
    store.bookings.extend(held.id, lambda _: AFTER, LATER)
    contact = Amendment(contact={"phone": "+31 20 555 0100"})
    store.bookings.amend(held.id, contact, pricing(make_order()), "test", LATER)
    store.bookings.confirm_free(held.id, make_admissions, "test", LATER)
    store.bookings.confirm_free(held.id, make_admissions, "test", LATER)
    one = held.unit_items[0].id
    cancellation = Cancellation(actor="test", reason="changed plans")
    store.bookings.cancel(held.id, lambda it: plan_cancellation(it, (one,), LATER), cancellation, LATER)
    store.bookings.cancel(held.id, lambda it: plan_cancellation(it, None, LATER), cancellation, LATER)
    heard = of(EventType.BOOKING, told(store, hears))
    assert [each.sequence for each in heard] == [1, 2, 3, 4, 5, 6]
    assert {each.subject for each in heard} == {held.id}
    statuses = [each.data["status"] for each in heard]
    assert statuses == ["on_hold", "on_hold", "on_hold", "confirmed", "confirmed", "cancelled"]
    assert heard[-1].data["version"] == 6 == getattr(store.bookings.get(held.id), "version", None)
    assert [each.state for each in heard] == ["pending", *["waiting"] * 5]


@pytest.mark.parametrize("by", ["the sweep", "another sale"])
def test_a_hold_that_ends_is_told_whoever_ends_it(
    world: World, store: Store, hears: Subscription, by: str
) -> None:
    slot = world.slot(capacity=1)
    held = world.hold(slot)
    if by == "the sweep":
        assert store.bookings.expire_due(AFTER, 10) == 1
    else:
        world.hold(slot, now=AFTER)
    (_, last) = [each for each in of(EventType.BOOKING, told(store, hears)) if each.subject == held.id]
    assert (last.sequence, last.data["status"]) == (2, "expired")


def test_what_is_refused_or_repeated_tells_nothing(world: World, store: Store, hears: Subscription) -> None:
    slot = world.slot(capacity=1)
    world.hold(slot)
    before = len(told(store, hears))
    with pytest.raises(Refused):
        world.hold(slot, now=LATER)
    assert len(told(store, hears)) == before


def test_a_reseller_hears_of_its_own_bookings_and_a_test_of_tests(world: World, store: Store) -> None:
    one, other = (store.resellers.create(make_reseller(name)) for name in ("One", "Other"))
    bookings = (EventType.BOOKING,)
    real, test = (
        store.webhooks.create(make_subscription(one, is_test=is_test, events=bookings), MOST)
        for is_test in (False, True)
    )
    own = store.webhooks.create(make_subscription(events=bookings), MOST)
    slot = world.slot()
    made: dict[str, UUID] = {
        "real": world.hold(slot, reseller=one).id,
        "test": world.hold(slot, reseller=one, is_test=True).id,
        "other": world.hold(slot, reseller=other).id,
        "visitor": world.hold(slot).id,
    }
    assert [each.subject for each in told(store, real)] == [made["real"]]
    assert [each.subject for each in told(store, test)] == [made["test"]]
    assert [each.subject for each in told(store, own)] == list(made.values())


def test_a_reseller_hears_of_the_tickets_that_it_may_sell(world: World, store: Store) -> None:
    sold, unsold = world.ticket("Sold"), world.ticket("Unsold")
    reseller = store.resellers.create(make_reseller(ticket_ids=(sold.id,)))
    hears = store.webhooks.create(make_subscription(reseller), MOST)
    for ticket in (unsold, sold):
        store.catalogue.replace(ticket, 1)
        world.hold(world.slot(ticket))
    heard = told(store, hears)
    assert {each.data["ticketId"] for each in heard} == {str(sold.id)}
    assert {each.type for each in heard} == {EventType.PRODUCT, EventType.AVAILABILITY}


def test_each_version_of_a_ticket_is_told(world: World, store: Store, hears: Subscription) -> None:
    poi = make_poi()
    store.catalogue.put_pois([poi])
    ticket = world.ticket(poi_id=poi.id)
    store.catalogue.replace(ticket, 1)
    store.catalogue.put_pois([replace(poi, city="Elsewhere", version=poi.version + 1)])
    with pytest.raises(Refused):
        store.catalogue.replace(ticket, 1)
    heard = of(EventType.PRODUCT, told(store, hears))
    assert [each.data["version"] for each in heard] == [1, 2, 3]
    assert {each.subject for each in heard} == {ticket.id}


def test_sales_and_staff_change_what_is_available(world: World, store: Store, hears: Subscription) -> None:
    slot = world.slot()
    (planned,) = of(EventType.AVAILABILITY, told(store, hears))
    assert (planned.subject, planned.data["slotId"]) == (slot.ticket_id, None)

    def heard() -> int:
        """How many more there are, with all that came before delivered."""
        news = [each for each in told(store, hears) if each.subject == slot.id and not each.attempts]
        assert all(each.data["slotId"] == str(slot.id) for each in news)
        assert all(each.data["localStart"] == slot.local_start.isoformat()[:16] for each in news)
        for _ in store.webhooks.claim(hears.id, AFTER, AFTER, EVERYTHING):
            pass
        return len(news)

    held = world.hold(slot)
    assert heard() == 1
    store.bookings.confirm_free(held.id, make_admissions, "test", NOW)
    assert heard() == 0, "a hold that is confirmed takes no further place"
    store.slots.change(slot.id, SlotChange(capacity=90), NOW)
    assert heard() == 1


def test_availability_is_told_once_until_it_is_sent(world: World, store: Store, hears: Subscription) -> None:
    slot = world.slot()
    for _ in range(4):
        world.hold(slot)
    mine = [each for each in told(store, hears) if each.subject == slot.id]
    assert len(mine) == 1
    store.webhooks.claim(hears.id, LATER, AFTER, EVERYTHING)
    for _ in range(3):
        world.hold(slot)
    mine = [each for each in told(store, hears) if each.subject == slot.id]
    assert [each.state for each in mine] == ["pending", "waiting"]


def test_a_test_changes_no_availability(world: World, store: Store, hears: Subscription) -> None:
    slot, reseller = world.slot(), store.resellers.create(make_reseller())
    world.hold(slot, reseller=reseller, is_test=True)
    assert [each.type for each in told(store, hears) if each.subject == slot.id] == []


def test_an_event_and_its_sale_are_one_commit(world: World, store: Store, hears: Subscription) -> None:
    """Under its key a sale is told once, however often it is asked for."""
    slot = world.slot()
    ticket = store.slots.offers([slot.id])[slot.id].ticket
    order = make_order((slot.id, ticket.options[0].units[0].id, 1))
    key = make_idempotency("a-key-that-is-long-enough")
    store.bookings.hold(order, pricing(order), LIMITS, AFTER, NOW, idempotency=key)
    with pytest.raises(Replayed):
        store.bookings.hold(order, pricing(order), LIMITS, AFTER, NOW, idempotency=key)
    assert len(of(EventType.BOOKING, told(store, hears))) == 1


@contextmanager
def written() -> Iterator[list[str]]:
    """The statements that change something meanwhile, and those that ask for anything but who subscribes."""
    statements: list[str] = []

    def listen(_: Any, __: Any, statement: str, ___: Any, ____: Any, _____: Any) -> None:
        looks = "FROM ticketing_webhook_subscriptions" in statement
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) and not looks:
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


@pytest.mark.parametrize(
    "store_url", ["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)], indirect=True
)
def test_a_sale_costs_one_insert_more_however_many_listen_and_nothing_if_nobody_does(
    world: World, store: Store
) -> None:
    slot = world.slot()
    world.sold(slot)
    counted = []
    for subscriptions in (0, 1, 9):
        for _ in range(subscriptions):
            store.webhooks.create(make_subscription(), MOST)
        world.store.slots.offers([slot.id])
        with written() as statements:
            held = world.hold(slot)
            store.bookings.confirm_free(held.id, make_admissions, "test", NOW)
        events = [each for each in statements if "webhook" in each]
        counted.append((len(statements) - len(events), [each.split()[:3] for each in events]))
    insert = ["INSERT", "INTO", "ticketing_webhook_events"]
    assert [events for _, events in counted] == [[], [insert] * 2, [insert] * 2]
    assert len({others for others, _ in counted}) == 1
