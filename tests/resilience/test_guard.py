"""Bulkhead, retry budget, deadline, and the guard that puts them together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from common.resilience import deadline
from common.resilience.bulkhead import Bulkhead, Saturation
from common.resilience.guard import Guard
from common.resilience.refusals import BulkheadFull, CircuitOpen, DeadlineExceeded
from common.resilience.retrying import Retry, RetryBudget
from common.resilience.states import Verdict
from tests.resilience.stage import SPEC, Away, Busy, Time, answer, breaker_of, fail, opened


@pytest.fixture
def time() -> Time:
    return Time()


class Flaky:
    """Fails so many times, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.calls = list(errors), 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def _rich(budget: RetryBudget) -> RetryBudget:
    for _ in range(50):
        budget.earn()
    return budget


def _retry(time: Time, **more: object) -> Retry:
    judge: Callable[[BaseException], Verdict] = breaker_of(time).judge
    settings: dict = {"sleep": time.pass_by, "chance": lambda: 0.0, "budget": _rich(RetryBudget()), **more}
    return Retry(judge, **settings)


# --- bulkhead ----------------------------------------------------------------------------------------


def test_the_call_after_the_last_place_is_refused_at_once():
    bulkhead = Bulkhead("database", 2, retry_after_seconds=3)
    with bulkhead.place(), bulkhead.place():
        with pytest.raises(BulkheadFull) as caught:
            bulkhead.enter()
        assert (caught.value.name, caught.value.retry_after_seconds) == ("database", 3)
        assert bulkhead.saturation() == Saturation(in_use=2, limit=2, refused=1)
    assert bulkhead.saturation() == Saturation(in_use=0, limit=2, refused=1)


def test_a_place_is_given_back_by_a_call_that_raises():
    bulkhead = Bulkhead("database", 1)
    for _ in range(3):
        with pytest.raises(Away), bulkhead.place():
            raise Away
    assert bulkhead.saturation().in_use == 0


def test_never_more_inside_than_the_limit():
    bulkhead, lock = Bulkhead("database", 3), threading.Lock()
    inside, most = [0], [0]

    def work() -> None:
        for _ in range(500):
            try:
                with bulkhead.place():
                    with lock:
                        inside[0] += 1
                        most[0] = max(most[0], inside[0])
                    with lock:
                        inside[0] -= 1
            except BulkheadFull:
                continue

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most[0] <= 3
    assert bulkhead.saturation().in_use == 0


def test_a_bulkhead_admits_at_least_one():
    with pytest.raises(ValueError, match="at least one"):
        Bulkhead("database", 0)


# --- retries -----------------------------------------------------------------------------------------


def test_an_idempotent_call_is_tried_again(time: Time):
    call = Flaky(Away())
    assert _retry(time).call(call, idempotent=True) == "answer"
    assert call.calls == 2
    assert time.seconds == pytest.approx(1000.05)


def test_what_is_not_idempotent_is_never_tried_again(time: Time):
    call = Flaky(Away())
    with pytest.raises(Away):
        _retry(time).call(call, idempotent=False)
    assert call.calls == 1


def test_attempts_have_an_end_and_pauses_double(time: Time):
    call = Flaky(*[Away() for _ in range(9)])
    with pytest.raises(Away):
        _retry(time, attempts=4).call(call, idempotent=True)
    assert call.calls == 4
    assert time.seconds == pytest.approx(1000 + 0.05 + 0.1 + 0.2)


def test_half_of_a_pause_is_chance(time: Time):
    _retry(time, chance=lambda: 1.0).call(Flaky(Away()), idempotent=True)
    assert time.seconds == pytest.approx(1000.025)


def test_when_all_calls_fail_one_retry_comes_to_five_calls(time: Time):
    retry, call = _retry(time, budget=RetryBudget()), Flaky(*[Away() for _ in range(1_000)])
    for _ in range(100):
        with pytest.raises(Away):
            retry.call(call, idempotent=True)
    assert call.calls == 120


def test_quiet_times_save_up_ten_retries_at_most():
    budget = RetryBudget()
    for _ in range(10_000):
        budget.earn()
    assert [budget.spend() for _ in range(11)] == [True] * 10 + [False]


@pytest.mark.parametrize("error", [ValueError("sold out"), BulkheadFull("x", 1, 1), DeadlineExceeded()])
def test_only_failures_of_the_dependency_are_tried_again(time: Time, error: Exception):
    judge = breaker_of(
        time, replace(SPEC, classify=lambda e: "success" if isinstance(e, ValueError) else "failure")
    ).judge
    call = Flaky(error)
    with pytest.raises(type(error)):
        Retry(judge, _rich(RetryBudget()), sleep=time.pass_by).call(call, idempotent=True)
    assert call.calls == 1


@pytest.mark.parametrize("asked, calls", [(0.8, 2), (5, 1)])
def test_a_short_pause_that_the_server_asks_for_is_kept_and_a_long_one_ends_it(
    time: Time, asked: float, calls: int
):
    call = Flaky(Busy(asked))
    try:
        _retry(time).call(call, idempotent=True)
    except Busy:
        assert calls == 1
    assert call.calls == calls
    assert time.seconds == pytest.approx(1000 + (asked if calls == 2 else 0))


@pytest.mark.parametrize("left, calls", [(0.06, 2), (0.05, 1), (0.0, 1)])
def test_no_attempt_begins_after_the_deadline(time: Time, left: float, calls: int):
    call = Flaky(Away(), Away())
    with deadline.within(left, time), pytest.raises(Away):
        _retry(time).call(call, idempotent=True)
    assert call.calls == calls


# --- deadline ----------------------------------------------------------------------------------------


def test_the_remaining_time_is_passed_down(time: Time):
    assert deadline.remaining(2) == 2
    with deadline.within(10, time):
        time.pass_by(7)
        assert deadline.remaining(8) == 3
        assert deadline.remaining(2) == 2
        with deadline.within(60, time):
            assert deadline.remaining(8) == 3
        with deadline.within(1, time):
            assert deadline.remaining(8) == 1
        time.pass_by(3)
        with pytest.raises(DeadlineExceeded):
            deadline.remaining(8)
        with pytest.raises(DeadlineExceeded):
            deadline.check()
    deadline.check()


def test_a_request_has_ten_seconds_by_default(time: Time):
    token = deadline.begin(monotonic=time)
    assert deadline.remaining(60) == 10
    deadline.end(token)
    assert deadline.remaining(60) == 60


def test_another_thread_has_its_own_deadline(time: Time):
    found: list[float] = []
    with deadline.within(1, time):
        thread = threading.Thread(target=lambda: found.append(deadline.remaining(8)))
        thread.start()
        thread.join()
    assert found == [8]


# --- together ----------------------------------------------------------------------------------------


def test_a_call_goes_through_all_of_it(time: Time):
    breaker, bulkhead = breaker_of(time), Bulkhead("payment-api", 1)
    guard = Guard(breaker, bulkhead, _retry(time))
    inside: list[int] = []

    def call() -> str:
        inside.append(bulkhead.saturation().in_use)
        return "answer"

    assert guard.call(call) == "answer"
    assert inside == [1]
    assert bulkhead.saturation().in_use == 0
    assert breaker.status().counts.calls == 1


def test_retries_are_one_call_to_the_breaker(time: Time):
    breaker = breaker_of(time)
    guard = Guard(breaker, None, _retry(time))
    assert guard.call(Flaky(Away()), idempotent=True) == "answer"
    assert breaker.status().counts[:2] == (1, 0)
    with pytest.raises(Away):
        guard.call(Flaky(Away()))
    assert breaker.status().counts[:2] == (2, 1)


def test_a_full_bulkhead_is_no_failure_of_the_dependency(time: Time):
    breaker, bulkhead = breaker_of(time), Bulkhead("payment-api", 1)
    guard = Guard(breaker, bulkhead)
    with bulkhead.place():
        for _ in range(20):
            with pytest.raises(BulkheadFull):
                guard.call(answer)
    assert breaker.state == "closed"
    assert breaker.outcomes()["ignored"] == 20
    assert guard.call(answer) == "answer"


def test_an_open_breaker_takes_no_place_and_no_retry(time: Time):
    breaker, bulkhead, budget = opened(time), Bulkhead("payment-api", 1), RetryBudget()
    guard = Guard(breaker, bulkhead, _retry(time, budget=budget))
    with bulkhead.place():
        for _ in range(20):
            with pytest.raises(CircuitOpen):
                guard.call(answer, idempotent=True)
    assert bulkhead.saturation().refused == 0
    assert not budget.spend()


def test_without_time_left_nothing_is_asked_and_nothing_counted(time: Time):
    breaker = breaker_of(time)
    with deadline.within(0, time), pytest.raises(DeadlineExceeded):
        Guard(breaker).call(lambda: pytest.fail("was called"))
    assert breaker.outcomes()["ignored"] == 0


def test_the_breakers_fallback_answers_for_the_guard(time: Time):
    breaker = opened(time, replace(SPEC, fallback=lambda: "old answer"))
    assert Guard(breaker).call(fail) == "old answer"
