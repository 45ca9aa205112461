"""The worker loop over a real outbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from common.clock import system_clock
from common.database import StoreUnavailable
from common.outbox.loop import Handler, Job, Pace, Worker
from common.outbox.port import Later, Permanent, Task
from tests.servers.process import eventually
from tests.worker.shop import QUICK
from ticketing_service.storage.port import Store


class Away(Exception):
    """A dependency that does not answer."""


@contextmanager
def running(
    outbox: Any, do: Handler, jobs: Sequence[Job] = (), owner: str = "one", pace: Pace = QUICK
) -> Iterator[Worker]:
    worker = Worker(outbox, {"greet": do}, jobs, system_clock, owner, transient=(Away,), pace=pace)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(10)
        assert not thread.is_alive()


def add(store: Store, **payload: Any) -> None:
    store.outbox.add("greet", payload, system_clock())


def is_empty(store: Store) -> bool:
    return store.outbox.depth(system_clock())[0] == 0


def test_every_task_is_done_once(store: Store) -> None:
    done: list[int] = []
    for number in range(30):
        add(store, number=number)
    with running(store.outbox, lambda task: done.append(task.payload["number"])):
        eventually(lambda: is_empty(store), what="an empty outbox")
    assert sorted(done) == list(range(30))


def test_a_failing_task_is_tried_again_and_given_up_after_so_many_attempts(store: Store) -> None:
    attempts: list[int] = []

    def fail(task: Task) -> None:
        attempts.append(task.attempts)
        raise ValueError("a fault of ours")

    add(store)
    with running(store.outbox, fail, pace=replace(QUICK, first_retry=0.01, max_attempts=3)):
        eventually(lambda: is_empty(store), what="the end of the task")
    assert attempts == [1, 2, 3]


def test_a_task_that_can_never_succeed_is_given_up_at_once(store: Store) -> None:
    attempts: list[int] = []

    def fail(task: Task) -> None:
        attempts.append(task.attempts)
        raise Permanent("no")

    add(store)
    with running(store.outbox, fail):
        eventually(lambda: is_empty(store), what="the end of the task")
    assert attempts == [1]


@pytest.mark.parametrize("reason", [Later("not yet", 0.01), Away("no answer")])
def test_what_is_only_early_or_away_is_tried_for_as_long_as_it_takes(store: Store, reason: Exception) -> None:
    attempts: list[int] = []

    def wait(task: Task) -> None:
        attempts.append(task.attempts)
        if len(attempts) < 6:
            raise reason

    add(store)
    quick = replace(QUICK, first_retry=0.01, longest_retry=0.02, max_attempts=2)
    with running(store.outbox, wait, pace=quick):
        eventually(lambda: is_empty(store), what="the end of the task")
    assert len(attempts) == 6


def test_waits_double_up_to_the_longest() -> None:
    pace = Pace(first_retry=1, longest_retry=10)
    assert [pace.wait_before(attempt, 0) for attempt in (1, 2, 3, 4, 5, 5000)] == [1, 2, 4, 8, 10, 10]
    assert pace.wait_before(3, 1) == 3


def test_of_two_workers_one_works_and_the_other_takes_over(store: Store) -> None:
    doers: list[str] = []
    with running(store.outbox, lambda _: doers.append("second"), owner="second"):
        eventually(lambda: store.outbox.heartbeat() is not None, what="the first lease")
        with running(store.outbox, lambda _: doers.append("other"), owner="other") as other:
            for _ in range(10):
                add(store)
            eventually(lambda: is_empty(store), what="an empty outbox")
            assert set(doers) == {"second"}
            assert not other.active
    with running(store.outbox, lambda _: doers.append("third"), owner="third"):
        add(store)
        eventually(lambda: doers[-1] == "third", what="the successor")


def test_stopping_ends_what_was_begun_and_begins_nothing_more(store: Store) -> None:
    began, go_on, done = threading.Event(), threading.Event(), []

    def slow(task: Task) -> None:
        began.set()
        assert go_on.wait(10)
        done.append(task.id)

    add(store)
    with running(store.outbox, slow) as worker:
        assert began.wait(10)
        worker.stop()
        add(store)
        go_on.set()
    assert len(done) == 1
    assert store.outbox.depth(system_clock())[0] == 1


def test_a_slow_task_keeps_the_lease_alive(store: Store) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(_: Task) -> None:
        began.set()
        go_on.wait(10)

    add(store)
    with running(store.outbox, slow, pace=replace(QUICK, task_lease=10)) as worker:
        assert began.wait(10)
        until = time.monotonic() + QUICK.lease * 2
        while time.monotonic() < until:
            assert worker.active
            time.sleep(0.02)
        go_on.set()


def test_jobs_run_at_the_start_and_again_and_survive_their_failures(store: Store) -> None:
    runs: list[int] = []

    def job() -> None:
        runs.append(len(runs))
        raise ValueError("a fault of ours")

    with running(store.outbox, print, [Job("often", 0.02, job)]):
        eventually(lambda: len(runs) >= 3, what="three runs")


class Unsteady:
    """The outbox of a store that goes away now and then."""

    def __init__(self, store: Store) -> None:
        self._outbox = store.outbox
        self.away = False

    def claim(self, now: datetime, lease_until: datetime, limit: int) -> Sequence[Task]:
        self._check()
        return self._outbox.claim(now, lease_until, limit)

    def done(self, task_id: UUID) -> None:
        self._check()
        self._outbox.done(task_id)

    def failed(self, task_id: UUID, error: str, retry_at: datetime | None) -> None:
        self._check()
        self._outbox.failed(task_id, error, retry_at)

    def beat(self, owner: str, now: datetime, lease_until: datetime) -> bool:
        self._check()
        return self._outbox.beat(owner, now, lease_until)

    def _check(self) -> None:
        if self.away:
            raise StoreUnavailable("gone")


def test_a_store_that_went_away_is_waited_for(store: Store) -> None:
    outbox, done = Unsteady(store), []
    with running(outbox, lambda task: done.append(task.id), pace=replace(QUICK, store_pause=0.02)) as worker:
        eventually(lambda: worker.active, what="the lease")
        outbox.away = True
        add(store)
        eventually(lambda: not worker.active, what="the end of the lease")
        outbox.away = False
        eventually(lambda: is_empty(store), what="the task")
    assert len(done) == 1


def test_a_paused_worker_stays_the_active_one_and_begins_nothing(store: Store) -> None:
    paused, seen = threading.Event(), list[tuple[str, bool]]()
    paused.set()
    looked = threading.Semaphore(0)

    def is_paused() -> bool:
        looked.release()
        return paused.is_set()

    add(store)
    worker = Worker(
        store.outbox,
        {"greet": lambda task: seen.append(("task", paused.is_set()))},
        [Job("tick", 0.01, lambda: seen.append(("job", paused.is_set())))],
        system_clock,
        "one",
        pace=QUICK,
        paused=is_paused,
    )
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        eventually(lambda: worker.active, what="a worker that is active")
        # it has come round several times, and had every reason to begin
        for _ in range(5):
            assert looked.acquire(timeout=10)
        paused.clear()
        eventually(lambda: is_empty(store), what="an empty outbox")
        eventually(lambda: ("job", False) in seen, what="a job")
    finally:
        worker.stop()
        thread.join(10)
    assert not any(was_paused for _, was_paused in seen)
