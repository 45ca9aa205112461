"""Deliveries of webhooks: one after the other of a subject, each until it has ended."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from common.identifiers import uuid7
from tests.contract.builders import NOW, make_subscription
from tests.contract.telling import AFTER, EVERYTHING, LATER, MOST
from tests.contract.world import World
from tests.counts import counts
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.webhooks import (
    Backlog,
    Delivery,
    DeliveryState,
    EventType,
    Health,
    Outcome,
    Subscription,
)
from ticketing_service.storage.opening import open_store
from ticketing_service.storage.port import Store

RACES = counts(small=8, full=50)
DAY_AFTER = NOW + timedelta(hours=24)
GOOD = Outcome(delivered=True, status_code=204, milliseconds=12)
DEAD = Outcome(delivered=False, error="it answered 500", status_code=500, milliseconds=7)


@pytest.fixture
def hears(store: Store) -> Subscription:
    return store.webhooks.create(make_subscription(events=(EventType.BOOKING,)), MOST)


@pytest.fixture
def booking(world: World, hears: Subscription) -> Booking:
    """With three events: made, and extended twice."""
    held = world.hold(world.slot())
    for _ in range(2):
        world.store.bookings.extend(held.id, lambda _: AFTER, LATER)
    world.store.webhooks.spread(NOW, EVERYTHING)
    return held


def claim(store: Store, hears: Subscription, limit: int = EVERYTHING) -> tuple[Delivery, ...]:
    return store.webhooks.claim(hears.id, LATER, AFTER, limit)


def all_of(store: Store, hears: Subscription) -> list[Delivery]:
    page = store.webhooks.deliveries(hears.id, None, EVERYTHING, None)
    return sorted(page.items, key=lambda each: (each.sequence, each.event_id))


@pytest.mark.parametrize("outcome", [GOOD, DEAD])
def test_the_next_of_a_booking_follows_when_the_one_before_has_ended(
    store: Store, hears: Subscription, booking: Booking, outcome: Outcome
) -> None:
    for sequence in (1, 2, 3):
        (first,) = claim(store, hears)
        assert (first.sequence, first.attempts, first.subject) == (sequence, 1, booking.id)
        assert claim(store, hears) == ()
        store.webhooks.settle(first, outcome, LATER)
    assert claim(store, hears) == ()
    states = {each.state for each in all_of(store, hears)}
    assert states == {DeliveryState.DELIVERED if outcome.delivered else DeliveryState.DEAD}


def test_bookings_do_not_wait_for_each_other(world: World, store: Store, hears: Subscription) -> None:
    slot = world.slot()
    held = {world.hold(slot).id for _ in range(3)}
    store.webhooks.spread(NOW, EVERYTHING)
    assert {each.subject for each in claim(store, hears)} == held


def test_what_failed_is_tried_again_at_its_time_and_holds_up_its_booking(
    store: Store, hears: Subscription, booking: Booking
) -> None:
    (first,) = claim(store, hears)
    failed = Outcome(delivered=False, retry_at=AFTER, error="x" * 999, status_code=503, milliseconds=1)
    store.webhooks.settle(first, failed, LATER)
    assert claim(store, hears) == ()
    (again,) = store.webhooks.claim(hears.id, AFTER, DAY_AFTER, EVERYTHING)
    assert (again.id, again.attempts, again.status_code) == (first.id, 2, 503)
    assert again.error == "x" * 200


def test_a_lease_that_ended_is_claimed_again_and_its_first_holder_changes_nothing(
    store: Store, hears: Subscription, booking: Booking
) -> None:
    (stale,) = claim(store, hears)
    (again,) = store.webhooks.claim(hears.id, AFTER, DAY_AFTER, EVERYTHING)
    assert (again.id, again.attempts) == (stale.id, 2)
    store.webhooks.settle(stale, DEAD, AFTER)
    store.webhooks.release([stale], AFTER)
    assert store.webhooks.claim(hears.id, AFTER, DAY_AFTER, EVERYTHING) == ()
    store.webhooks.settle(again, GOOD, AFTER)
    kept = all_of(store, hears)[0]
    assert (kept.state, kept.status_code, kept.milliseconds) == (DeliveryState.DELIVERED, 204, 12)
    assert (kept.finished_at, kept.due_at, kept.error) == (AFTER, None, None)


def test_what_is_released_was_not_tried(store: Store, hears: Subscription, booking: Booking) -> None:
    claimed = claim(store, hears)
    store.webhooks.release(claimed, LATER)
    assert [each.attempts for each in claim(store, hears)] == [1]


def test_due_are_active_subscriptions_with_something_to_send(
    store: Store, hears: Subscription, booking: Booking
) -> None:
    store.webhooks.create(make_subscription(), MOST)
    assert [each.id for each in store.webhooks.due(LATER)] == [hears.id]
    health = Health(failures=5, openings=1, closed_until=AFTER, last_error="gone", last_failure_at=NOW)
    store.webhooks.report(hears.id, health)
    assert [each.health for each in store.webhooks.due(LATER)] == [health]
    assert store.webhooks.health() == (2, 1)
    store.webhooks.close_all()
    assert store.webhooks.health() == (2, 0)
    claim(store, hears)
    assert store.webhooks.due(LATER) == ()


def test_a_dead_one_is_replayed_behind_what_is_under_way(
    store: Store, hears: Subscription, booking: Booking
) -> None:
    (first,) = claim(store, hears)
    with pytest.raises(Refused) as refused:
        store.webhooks.replay(hears.id, first.id, NOW, AFTER)
    assert refused.value.code is Code.DELIVERY_NOT_DEAD
    store.webhooks.settle(first, DEAD, LATER)
    replayed = store.webhooks.replay(hears.id, first.id, LATER, DAY_AFTER)
    assert (replayed.state, replayed.attempts, replayed.until) == (DeliveryState.WAITING, 0, DAY_AFTER)
    order = []
    while claimed := claim(store, hears):
        order += [each.sequence for each in claimed]
        store.webhooks.settle(claimed[0], GOOD, LATER)
    assert order == [2, 1, 3]
    for subscription_id, delivery_id in ((hears.id, uuid7()), (uuid7(), first.id)):
        with pytest.raises(Refused) as refused:
            store.webhooks.replay(subscription_id, delivery_id, NOW, AFTER)
        assert refused.value.code is Code.DELIVERY_NOT_FOUND


def test_a_dead_one_with_nothing_before_it_is_sent_at_once(
    store: Store, hears: Subscription, booking: Booking
) -> None:
    while claimed := claim(store, hears):
        store.webhooks.settle(claimed[0], DEAD, LATER)
    last = all_of(store, hears)[-1]
    assert store.webhooks.replay(hears.id, last.id, LATER, AFTER).state is DeliveryState.PENDING
    assert [each.id for each in claim(store, hears)] == [last.id]


def test_what_nobody_can_be_sent_in_time_is_given_up_behind_an_open_breaker_alone(
    store: Store, hears: Subscription, booking: Booking
) -> None:
    past = DAY_AFTER + timedelta(seconds=1)
    assert store.webhooks.give_up(past, EVERYTHING) == 0, "a worker that was away tries first"
    store.webhooks.report(hears.id, Health(failures=5, openings=1, closed_until=past))
    assert store.webhooks.give_up(DAY_AFTER - timedelta(seconds=1), EVERYTHING) == 0
    while store.webhooks.give_up(past, EVERYTHING):
        pass
    assert {each.state for each in all_of(store, hears)} == {DeliveryState.DEAD}


def test_the_log_is_bounded_in_time_and_in_number(world: World, store: Store, hears: Subscription) -> None:
    slot = world.slot()
    for _ in range(6):
        world.hold(slot)
    store.webhooks.spread(NOW, EVERYTHING)
    for index, each in enumerate(claim(store, hears)):
        store.webhooks.settle(each, DEAD if index % 2 else GOOD, LATER)
    assert store.webhooks.prune(NOW, NOW, EVERYTHING, EVERYTHING) == 0
    assert store.webhooks.prune(NOW, NOW, 2, EVERYTHING) == 2
    kept = all_of(store, hears)
    assert [each.state.value for each in kept].count("dead") == 2
    assert kept[0].event_id == min(each.event_id for each in kept)
    assert store.webhooks.prune(LATER, NOW, EVERYTHING, EVERYTHING) == 2
    assert {each.state for each in all_of(store, hears)} == {DeliveryState.DEAD}


def test_the_log_is_read_by_state_and_page_by_page(
    store: Store, hears: Subscription, booking: Booking
) -> None:
    (first,) = claim(store, hears)
    store.webhooks.settle(first, DEAD, LATER)
    read = store.webhooks.deliveries
    assert [each.id for each in read(hears.id, DeliveryState.DEAD, 10, None).items] == [first.id]
    page = read(hears.id, None, 2, None)
    rest = read(hears.id, None, 2, page.next_cursor)
    assert [each.sequence for each in (*page.items, *rest.items)] == [3, 2, 1]


def test_events_that_come_late_are_put_in_their_order(
    world: World, store: Store, hears: Subscription
) -> None:
    """However few are taken at a time, those of one booking are seen together."""
    slot = world.slot()
    held = [world.hold(slot) for _ in range(3)]
    for each in held:
        store.bookings.extend(each.id, lambda _: AFTER, LATER)
    while store.webhooks.spread(NOW, 1):
        pass
    for each in held:
        mine = [delivery for delivery in all_of(store, hears) if delivery.subject == each.id]
        assert [(one.sequence, one.state.value) for one in mine] == [(1, "pending"), (2, "waiting")]


def test_nothing_is_left_waiting_when_one_ends_while_the_next_comes(
    world: World, store: Store, store_url: str, hears: Subscription
) -> None:
    """Two workers at a time, for the moment in which one has not heard yet that it is not the active one."""
    slot, other = world.slot(capacity=1000), open_store(store_url, 2)
    for _ in range(RACES):
        held = world.hold(slot)
        store.webhooks.spread(NOW, EVERYTHING)
        claimed = [each for each in claim(store, hears) if each.subject == held.id]
        store.bookings.extend(held.id, lambda _: AFTER, LATER)
        threads = [
            threading.Thread(target=store.webhooks.settle, args=(claimed[0], GOOD, LATER)),
            threading.Thread(target=other.webhooks.spread, args=(NOW, EVERYTHING)),
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        (following,) = claim(store, hears)
        assert (following.subject, following.sequence) == (held.id, 2)
        store.webhooks.settle(following, GOOD, LATER)
    other.close()


def test_the_backlog_is_what_is_still_to_be_sent(world: World, store: Store, hears: Subscription) -> None:
    backlog, minute = store.webhooks.backlog, timedelta(minutes=1)
    assert backlog(NOW) == Backlog()
    slot = world.slot()
    held = [world.hold(slot) for _ in range(2)]
    assert backlog(NOW + minute).oldest_seconds == pytest.approx(60), "nobody was asked who hears of them"
    store.webhooks.spread(NOW, EVERYTHING)
    store.bookings.extend(held[0].id, lambda _: AFTER, NOW)
    store.webhooks.spread(NOW, EVERYTHING)
    assert backlog(NOW + minute) == Backlog(pending=3, oldest_seconds=60.0)
    store.webhooks.report(hears.id, Health(failures=1))
    assert backlog(NOW + minute) == Backlog(pending=3), "its endpoint holds them up"
    store.webhooks.report(hears.id, Health())
    first, second = claim(store, hears)
    assert backlog(NOW + minute) == Backlog(pending=3), "all that can be sent was tried"
    store.webhooks.settle(first, DEAD, NOW)
    store.webhooks.settle(second, GOOD, NOW)
    found = backlog(NOW + minute)
    assert (found.pending, found.dead, found.oldest_seconds) in ((1, 1, 60.0), (0, 1, 0.0))
    store.webhooks.replace(replace(hears, active=False), 1)
    assert backlog(NOW + minute) == Backlog(dead=1)
    store.webhooks.delete(hears.id, 2, NOW)
    assert backlog(NOW + minute) == Backlog()
