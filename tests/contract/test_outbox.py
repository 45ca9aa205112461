"""The outbox: leases, retries, the one active worker, and sweeping up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from common.identifiers import uuid7
from common.web.idempotency import Replayed
from tests.beneath import Beneath
from tests.contract.builders import NOW, make_idempotency, make_ticket
from tests.contract.world import World
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.outbox import Task

MINUTE = timedelta(minutes=1)


def _claimed(store: Store, now: datetime = NOW, limit: int = 10) -> tuple[Task, ...]:
    return store.outbox.claim(now, now + MINUTE, limit)


def _kinds(tasks: tuple[Task, ...]) -> list[str]:
    return [task.kind for task in tasks]


def test_due_tasks_are_claimed_oldest_first_with_what_they_carry(store: Store) -> None:
    payload = {"bookingId": "1", "nested": {"list": [1, None, "ü"]}}
    store.outbox.add("second", {}, NOW)
    store.outbox.add("first", payload, NOW - MINUTE)
    store.outbox.add("later", {}, NOW + MINUTE)
    tasks = _claimed(store)
    assert _kinds(tasks) == ["first", "second"]
    assert tasks[0].payload == payload
    assert (tasks[0].attempts, tasks[0].created_at) == (1, NOW - MINUTE)
    assert _kinds(_claimed(store, NOW + MINUTE - timedelta(milliseconds=1))) == []


def test_a_task_may_wait_for_its_time(store: Store, database: Beneath) -> None:
    database.add_tasks([("reminder", {})], NOW, NOW + MINUTE)
    assert _claimed(store) == ()
    assert store.outbox.depth(NOW) == (0, 0.0)
    assert _kinds(_claimed(store, NOW + MINUTE)) == ["reminder"]


def test_several_tasks_are_added_at_once(store: Store, database: Beneath) -> None:
    database.add_tasks([("one", {"n": 1}), ("two", {"n": 2})], NOW)
    database.add_tasks([], NOW)
    assert [(task.kind, task.payload) for task in _claimed(store)] == [("one", {"n": 1}), ("two", {"n": 2})]


def test_a_lease_that_ran_out_is_given_again(store: Store) -> None:
    store.outbox.add("mail", {}, NOW)
    (first,) = _claimed(store)
    assert _claimed(store, NOW + MINUTE / 2) == ()
    (again,) = _claimed(store, NOW + MINUTE)
    assert (again.id, again.attempts) == (first.id, 2)


def test_workers_never_share_a_task(store: Store) -> None:
    for number in range(40):
        store.outbox.add("mail", {"n": number}, NOW)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: _claimed(store, limit=10), range(8)))
    ids = [task.id for tasks in claims for task in tasks]
    assert len(ids) == len(set(ids)) == 40


def test_what_is_done_never_comes_back(store: Store) -> None:
    store.outbox.add("mail", {}, NOW)
    (task,) = _claimed(store)
    store.outbox.done(task.id)
    store.outbox.done(task.id)
    assert _claimed(store, NOW + timedelta(days=1)) == ()
    assert store.outbox.depth(NOW) == (0, 0.0)


def test_a_failed_task_comes_back_at_its_time_or_never(store: Store, database: Beneath) -> None:
    store.outbox.add("mail", {}, NOW)
    (task,) = _claimed(store)
    store.outbox.failed(task.id, "refused " * 200, NOW + 5 * MINUTE)
    assert _claimed(store, NOW + 4 * MINUTE) == ()
    (task,) = _claimed(store, NOW + 5 * MINUTE)
    store.outbox.failed(task.id, "for good", None)
    assert _claimed(store, NOW + timedelta(days=9)) == ()
    assert store.outbox.depth(NOW) == (0, 0.0)
    (task,) = database.tables("outbox")["outbox"]
    assert task.last_error == "for good"


def test_depth_counts_what_waits_leases_included_and_the_age_of_the_oldest(store: Store) -> None:
    assert store.outbox.depth(NOW) == (0, 0.0)
    store.outbox.add("one", {}, NOW - MINUTE)
    store.outbox.add("two", {}, NOW)
    assert store.outbox.depth(NOW) == (2, 60.0)
    _claimed(store, limit=1)
    assert store.outbox.depth(NOW) == (2, 60.0)


def test_a_task_is_added_once_under_one_key(store: Store) -> None:
    store.outbox.add("mail", {}, NOW, idempotency=make_idempotency())
    with pytest.raises(Replayed):
        store.outbox.add("mail", {}, NOW, idempotency=make_idempotency())
    assert len(_claimed(store)) == 1


def test_one_worker_is_active_until_its_lease_ends(store: Store) -> None:
    assert store.outbox.heartbeat() is None
    assert store.outbox.beat("one", NOW, NOW + MINUTE)
    assert not store.outbox.beat("two", NOW, NOW + MINUTE)
    assert store.outbox.beat("one", NOW + MINUTE / 2, NOW + 2 * MINUTE)
    assert store.outbox.heartbeat() == NOW + MINUTE / 2
    assert not store.outbox.beat("two", NOW + MINUTE, NOW + 3 * MINUTE)
    assert store.outbox.beat("two", NOW + 2 * MINUTE, NOW + 3 * MINUTE)
    assert not store.outbox.beat("one", NOW + 2 * MINUTE, NOW + 3 * MINUTE)
    assert store.outbox.heartbeat() == NOW + 2 * MINUTE


def test_of_workers_that_start_at_the_same_time_one_is_active(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        active = list(pool.map(lambda name: store.outbox.beat(f"w{name}", NOW, NOW + MINUTE), range(8)))
    assert active.count(True) == 1


def test_answers_are_forgotten_after_48_hours_a_chunk_at_a_time(store: Store, database: Beneath) -> None:
    ages = [timedelta(hours=48, milliseconds=n) for n in (3, 2, 1, 0)]
    for number, age in enumerate(ages):
        database.answered(replace(make_idempotency(), key=str(number), created_at=NOW - age))
    assert store.outbox.purge(NOW, 2) == 2
    assert store.outbox.purge(NOW, 2) == 1
    assert store.outbox.purge(NOW, 2) == 0
    assert [row.key for row in database.tables("idempotency")["idempotency"]] == ["3"]


def test_counters_of_guests_go_when_they_count_nothing(world: World, database: Beneath) -> None:
    def transient() -> int:
        return sum(row.transient for row in database.tables("capacity_counters")["capacity_counters"])

    slot = world.slot()
    world.hold(slot, guest_network="192.0.2.1")
    assert transient() == 2
    assert world.store.outbox.purge(NOW, 10) == 0
    world.store.bookings.expire_due(NOW + timedelta(hours=1), 10)
    assert world.store.outbox.purge(NOW, 1) == 1
    assert world.store.outbox.purge(NOW, 10) == 1
    assert transient() == 0
    assert world.again(slot).vacancies == 10


def test_a_key_is_kept_with_what_it_did_or_not_at_all(store: Store) -> None:
    key = make_idempotency("b" * 16)
    ticket = make_ticket()
    store.catalogue.create(ticket)
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        store.catalogue.create(ticket, idempotency=key)
    other: UUID = uuid7()
    store.catalogue.create(make_ticket(id=other), idempotency=key)
    assert store.catalogue.ticket(other) is not None
