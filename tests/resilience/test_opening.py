"""When a closed breaker opens, for how long, and what counts as what."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from common.resilience.refusals import BulkheadFull, CircuitOpen, DeadlineExceeded
from common.resilience.states import Outcome, Verdict, Waits
from common.resilience.window import Counts
from tests.resilience.stage import (
    SPEC,
    Away,
    Busy,
    Time,
    answer,
    break_down,
    breaker_of,
    fail,
    opened,
    succeed,
    taking,
)


@pytest.fixture
def time() -> Time:
    return Time()


def test_nine_failures_do_not_open_and_the_tenth_does(time: Time):
    breaker = breaker_of(time)
    break_down(breaker, 9)
    assert breaker.state == "closed"
    break_down(breaker)
    assert breaker.state == "open"


@pytest.mark.parametrize("successes, state", [(5, "open"), (6, "closed")])
def test_half_of_the_calls_must_fail(time: Time, successes: int, state: str):
    breaker = breaker_of(time)
    for _ in range(4):
        break_down(breaker)
        succeed(breaker)
    succeed(breaker, successes - 4)
    break_down(breaker)
    assert breaker.status().counts.failures == 5
    assert breaker.state == state


def test_eighty_percent_failing_opens_though_never_five_in_a_row(time: Time):
    breaker = breaker_of(time)
    for _ in range(2):
        break_down(breaker, 4)
        succeed(breaker)
    assert breaker.state == "open"


@pytest.mark.parametrize("failures, state", [(4, "closed"), (5, "open")])
def test_five_failures_in_a_row_open_after_any_number_of_successes(time: Time, failures: int, state: str):
    breaker = breaker_of(time)
    succeed(breaker, 100)
    break_down(breaker, failures)
    assert breaker.state == state


def test_failures_older_than_the_window_do_not_count(time: Time):
    breaker = breaker_of(time)
    break_down(breaker, 9)
    time.pass_by(61)
    succeed(breaker, 9)
    break_down(breaker, 4)
    assert breaker.state == "closed"


@pytest.mark.parametrize("slow, opens", [(79, False), (80, True)])
def test_eighty_of_a_hundred_calls_must_be_slow(slow: int, opens: bool):
    cause = SPEC.reason_to_open(Counts(calls=100, failures=5, slow=slow, consecutive=1))
    assert (cause is not None) == opens


def test_slow_is_half_of_the_time_out_and_the_whole_time_out_is_a_failure(time: Time):
    breaker = breaker_of(time)
    for seconds in (3.9, 4.0, 7.9, 8.0):
        breaker.call(taking(time, seconds))
    counts = breaker.status().counts
    assert (counts.calls, counts.slow, counts.failures) == (4, 3, 1)
    assert breaker.last_failure == "answered after its time-out (8.00 s)"


def test_slow_calls_with_five_failures_among_them_open_what_the_rate_would_not(time: Time):
    breaker = breaker_of(time, replace(SPEC, timeout_seconds=1))
    for number in range(17):
        assert breaker.state == "closed"
        with suppress(Away):
            breaker.call(taking(time, 0.6, None if number % 4 else Away("slow and wrong")))
    assert breaker.status().events[-1].cause == "17 of 17 calls were slow, 5 failed"


def test_slow_calls_that_all_succeed_do_not_cut_the_dependency_off(time: Time):
    breaker = breaker_of(time, replace(SPEC, timeout_seconds=1))
    for _ in range(50):
        breaker.call(taking(time, 0.6))
    assert breaker.state == "closed"


def test_business_refusals_are_successes_and_what_says_nothing_is_ignored(time: Time):
    def classify(error: BaseException) -> Outcome:
        if isinstance(error, ValueError):
            return "success"
        return "ignored" if isinstance(error, KeyError) else "failure"

    breaker = breaker_of(time, replace(SPEC, classify=classify))
    for error in [ValueError("sold out")] * 10 + [KeyError("odd")] * 10:
        with pytest.raises(type(error)):
            breaker.call(fail, error)
    assert breaker.status().counts[:2] == (10, 0)
    assert breaker.outcomes() == {"success": 10, "failure": 0, "ignored": 10, "refused": 0}


@pytest.mark.parametrize(
    "error", [BulkheadFull("x", 1, 1), DeadlineExceeded(), KeyboardInterrupt(), SystemExit(), GeneratorExit()]
)
def test_not_being_asked_or_being_told_to_end_is_no_failure(time: Time, error: BaseException):
    breaker = breaker_of(time)
    for _ in range(10):
        with pytest.raises(type(error)):
            breaker.call(fail, error)
    assert breaker.status().counts.calls == 0


def test_a_classification_that_raises_counts_as_failure(time: Time):
    def classify(_error: BaseException) -> str:
        raise RuntimeError("no idea")

    breaker = breaker_of(time, replace(SPEC, classify=classify))  # type: ignore[arg-type]
    break_down(breaker, 10)
    assert breaker.state == "open"


def test_an_open_breaker_refuses_with_its_name_and_the_wait(time: Time):
    breaker = opened(time)
    time.pass_by(10)
    with pytest.raises(CircuitOpen) as caught:
        breaker.call(lambda: pytest.fail("was let through"))
    assert caught.value.name == "payment-api"
    assert caught.value.retry_after_seconds == pytest.approx(20)
    assert breaker.outcomes()["refused"] == 1


def test_the_wait_doubles_up_to_the_cap_and_starts_anew_after_closing(time: Time):
    breaker = opened(time)
    waits = []
    for _ in range(6):
        waits.append(breaker.open_remaining)
        time.pass_by(breaker.open_remaining + 1)
        break_down(breaker)
    assert waits == [30, 60, 120, 240, 300, 300]
    time.pass_by(301)
    succeed(breaker, 2)
    assert breaker.state == "closed"
    break_down(breaker, 10)
    assert breaker.open_remaining == 30


@pytest.mark.parametrize("chance, seconds", [(0.0, 24), (0.5, 30), (1 - 1e-9, 36)])
def test_the_wait_has_twenty_percent_of_jitter(time: Time, chance: float, seconds: int):
    breaker = opened(time, chance=lambda: chance)
    assert breaker.open_remaining == seconds


@pytest.mark.parametrize(
    "asked, seconds",
    [(10, 30), (100, 100), (100_000, 300), (None, 30), ("soon", 30), (float("nan"), 30), (-5, 30)],
)
def test_retry_after_lengthens_the_wait_within_the_cap(time: Time, asked: object, seconds: int):
    breaker = breaker_of(time)
    break_down(breaker, 3, Busy(asked))
    break_down(breaker, 7)
    assert breaker.open_remaining == seconds


def test_the_classifier_may_say_the_pause(time: Time):
    breaker = breaker_of(time, replace(SPEC, classify=lambda _error: Verdict("failure", 90)))
    break_down(breaker, 10)
    assert breaker.open_remaining == 90


def test_a_trial_that_is_asked_to_wait_waits(time: Time):
    breaker = opened(time)
    time.pass_by(31)
    break_down(breaker, 1, Busy(200))
    assert breaker.open_remaining == 200


def test_the_cap_holds_with_jitter_too(time: Time):
    spec = replace(SPEC, waits=Waits(10, 10))
    assert opened(time, spec, chance=lambda: 0.99).open_remaining == 10


def test_the_fallback_answers_for_a_refused_call_with_its_arguments(time: Time):
    spec = replace(SPEC, fallback=lambda word, *, times: word * times)
    breaker = opened(time, spec)
    assert breaker.call(fail, "old ", times=2) == "old old "


def test_the_fallback_does_not_hide_a_failure(time: Time):
    breaker = breaker_of(time, replace(SPEC, fallback=lambda *_: "old"))
    with pytest.raises(Away):
        breaker.call(fail)


def test_a_success_can_complete_the_volume(time: Time):
    breaker = breaker_of(time)
    break_down(breaker, 9)
    breaker.call(answer)
    assert breaker.state == "open"
