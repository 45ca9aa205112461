"""The rolling window counts what happened in the last minute."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.resilience.window import Counts, RollingWindow


def test_counts_calls_failures_slow_and_failures_in_a_row():
    window = RollingWindow(0)
    for failed, slow in ((True, True), (False, False), (True, False), (True, True)):
        window.record(1, failed, slow)
    assert window.counts(1) == Counts(calls=4, failures=3, slow=2, consecutive=2)


def test_what_is_older_than_a_minute_is_gone_and_totals_stay():
    window = RollingWindow(0)
    window.record(1, True, True)
    window.record(30, False, False)
    assert window.counts(53.9).calls == 2
    assert window.counts(60.1) == Counts(calls=1, failures=0, slow=0, consecutive=0)
    assert window.counts(10_000).calls == 0
    assert window.totals().calls == 2


def test_a_record_after_a_long_silence_stands_alone():
    window = RollingWindow(0)
    window.record(0, True, False)
    assert window.record(3600, True, False) == 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 40), st.booleans(), st.booleans()), max_size=60))
def test_agrees_with_a_list_of_all_calls(steps: list[tuple[float, bool, bool]]):
    window, calls, now = RollingWindow(0), [], 0.0
    for pause, failed, slow in steps:
        now += pause
        failures = window.record(now, failed, slow)
        calls.append((now, failed, slow))
        # What began before the oldest of ten buckets of six seconds is forgotten.
        kept = [call for call in calls if call[0] // 6 > now // 6 - 10]
        assert window.counts(now)[:3] == (
            len(kept),
            sum(failed for _, failed, _ in kept),
            sum(slow for _, _, slow in kept),
        )
        assert failures == sum(failed for _, failed, _ in kept)


@pytest.mark.parametrize("threads", [8])
def test_no_call_is_lost_between_threads(threads: int):
    window = RollingWindow(0)

    def work() -> None:
        for number in range(5_000):
            window.record(number / 1_000, number % 2 == 0, False)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert window.counts(5)[:2] == (threads * 5_000, threads * 2_500)
