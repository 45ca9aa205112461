"""A new subscription is known to every process before it is answered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.coordination.opening import open_coordination
from common.coordination.signal import Signal, signal_of
from common.database.unavailable import StoreUnavailable
from tests.contract.builders import make_subscription
from tests.contract.telling import MOST, told
from tests.contract.world import World
from tests.servers.process import eventually
from ticketing_service.storage.opening import open_store
from ticketing_service.storage.port import Store
from ticketing_service.storage.subscribed import NOTHING, Subscribed, Wanted

ALL = Wanted(all_bookings=True)


@pytest.fixture
def processes(store: Store, store_url: str, tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Two, each with a store of its own on one database."""
    ways = [open_coordination(tmp_path, "ticketing", None) for _ in range(2)]
    stores = [open_store(store_url, threads=2, signal=signal_of(way, "subscriptions")) for way in ways]
    yield stores[0], stores[1]
    for each in stores:
        each.close()
    for way in ways:
        way.close()


def test_what_another_process_sells_after_the_answer_is_told(processes: tuple[Store, Store]) -> None:
    here, there = processes
    world = World(there)
    slot = world.slot()
    unheard = world.hold(slot)  # it has just looked: nobody listens
    hears = here.webhooks.create(make_subscription(), MOST)
    booking = world.hold(slot)
    subjects = {each.subject for each in told(here, hears)}
    assert booking.id in subjects
    assert unheard.id not in subjects
    here.webhooks.delete(hears.id, 1, booking.created_at)
    world.hold(slot)
    assert here.webhooks.spread(booking.created_at, 100) == 0


class Known:
    """What there is to be read, how often it was, and an epoch."""

    def __init__(self) -> None:
        self.wanted, self.away, self.reads, self.now, self.epoch = NOTHING, False, 0, 0.0, 0
        self.reading, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        signal = Signal(lambda: self.epoch, self.bump)
        self.subscribed = Subscribed(self.read, signal, monotonic=lambda: self.now)

    def bump(self) -> None:
        self.epoch += 1

    def read(self) -> Wanted:
        self.reads += 1
        self.reading.set()
        self.go_on.wait(30)
        if self.away:
            raise StoreUnavailable("away")
        return self.wanted


def test_nobody_asks_again_without_news() -> None:
    known = Known()
    for _ in range(5):
        assert known.subscribed() == NOTHING
    assert known.reads == 1
    known.wanted = ALL
    known.bump()
    assert [known.subscribed() for _ in range(3)] == [ALL] * 3
    assert known.reads == 2
    known.now = 2.0
    known.subscribed()
    assert known.reads == 3, "in case a signal was lost"


def test_with_news_nobody_goes_on_with_what_was_known() -> None:
    known, answers = Known(), []
    assert known.subscribed() == NOTHING
    known.wanted = ALL
    known.bump()
    known.reading.clear()
    known.go_on.clear()
    threads = [threading.Thread(target=lambda: answers.append(known.subscribed())) for _ in range(2)]
    for each in threads:
        each.start()
    eventually(known.reading.is_set, seconds=30, what="a look")
    known.go_on.set()
    for each in threads:
        each.join(30)
    assert answers == [ALL, ALL]


def test_with_the_store_away_what_was_known_stands() -> None:
    known = Known()
    known.wanted = ALL
    known.subscribed()
    known.away = True
    known.bump()
    assert known.subscribed() == ALL
    known.away, known.wanted = False, NOTHING
    assert known.subscribed() == NOTHING, "the news is not forgotten"
