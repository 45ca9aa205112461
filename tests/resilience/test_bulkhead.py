"""How many calls a dependency has from one process, and what becomes of the next one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.resilience.bulkhead import Bulkhead
from common.resilience.refusals import BulkheadFull
from tests.servers.process import eventually

HANG_GUARD = 20.0


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_one_in_which_nothing_moves_refuses_at_once() -> None:
    clock = _Clock()
    bulkhead = Bulkhead("database", 2, patience_seconds=3600, monotonic=clock)
    bulkhead.enter()
    bulkhead.enter()
    clock.now += 3601
    with pytest.raises(BulkheadFull) as refused:
        bulkhead.enter()
    assert refused.value.retry_after_seconds == 1.0
    assert bulkhead.saturation() == (2, 2, 1)


def test_the_next_call_waits_for_its_place_from_the_first_burst_on() -> None:
    bulkhead = Bulkhead("database", 1, patience_seconds=HANG_GUARD, monotonic=_Clock())
    bulkhead.enter()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bulkhead.enter)
        eventually(lambda: bulkhead._waiting == 1, what="the second call's waiting")
        bulkhead.leave()
        waiting.result(HANG_GUARD)
    assert bulkhead.saturation() == (1, 1, 0)


def test_one_that_waited_its_patience_out_is_refused() -> None:
    bulkhead = Bulkhead("database", 1, patience_seconds=0.05)
    bulkhead.enter()
    with pytest.raises(BulkheadFull):
        bulkhead.enter()


def test_no_more_than_the_limit_are_ever_inside() -> None:
    bulkhead = Bulkhead("database", 3, patience_seconds=HANG_GUARD)
    lock, inside, most = threading.Lock(), 0, 0

    def call(_: int) -> None:
        nonlocal inside, most
        with bulkhead.place():
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(call, range(2000)))
    assert most <= 3
    assert bulkhead.saturation() == (0, 3, 0)
