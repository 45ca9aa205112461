"""Modes, resets, events and listeners."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from common.resilience.breaker import Breaker
from common.resilience.refusals import CircuitOpen
from common.resilience.states import CallRecorded, Transition
from tests.resilience.stage import Away, Time, answer, break_down, breaker_of, fail, opened, succeed


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def breaker(time: Time) -> Breaker:
    return breaker_of(time)


def test_forced_open_refuses_every_call_until_automatic(time: Time, breaker: Breaker):
    breaker.set_mode("forced_open", "maintenance of the bank")
    time.pass_by(1_000)
    with pytest.raises(CircuitOpen) as caught:
        breaker.call(answer)
    assert caught.value.retry_after_seconds == 300
    assert (breaker.state, breaker.status().condition) == ("open", "FORCED_OPEN")
    breaker.set_mode("automatic")
    assert breaker.call(answer) == "answer"


def test_disabled_lets_every_call_through_and_counts(breaker: Breaker):
    break_down(breaker, 10)
    breaker.set_mode("disabled")
    break_down(breaker, 30)
    assert breaker.status().counts.failures == 30
    assert (breaker.state, breaker.status().condition) == ("closed", "DISABLED")


@pytest.mark.parametrize("mode", ["forced_open", "disabled"])
def test_a_mode_ends_by_itself(time: Time, breaker: Breaker, mode: str):
    breaker.set_mode(mode, "for ten minutes", time.day() + timedelta(minutes=10))  # type: ignore[arg-type]
    time.pass_by(599)
    assert breaker.status().mode == mode
    time.pass_by(1)
    assert breaker.call(answer) == "answer"
    status = breaker.status()
    assert (status.mode, status.mode_until, status.events[-1].cause) == (
        "automatic",
        None,
        "automatic: the time given is over",
    )
    break_down(breaker, 9)
    assert breaker.state == "open"


def test_forced_open_says_when_it_ends(time: Time, breaker: Breaker):
    breaker.set_mode("forced_open", until=time.day() + timedelta(seconds=90))
    with pytest.raises(CircuitOpen) as caught:
        breaker.call(answer)
    assert caught.value.retry_after_seconds == 90
    assert breaker.status().next_attempt_at == time.day() + timedelta(seconds=90)


def test_a_mode_that_does_not_exist_and_an_end_without_zone_are_refused(breaker: Breaker):
    with pytest.raises(ValueError, match="no mode 'open'"):
        breaker.set_mode("open")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="time zone"):
        breaker.set_mode("disabled", until=datetime(2030, 1, 1))  # noqa: DTZ001


def test_reset_closes_at_once_and_forgets(time: Time):
    breaker = opened(time)
    breaker.reset()
    assert breaker.call(answer) == "answer"
    assert breaker.status().counts[:2] == (1, 0)
    assert breaker.last_failure is None
    break_down(breaker, 9)
    assert breaker.open_remaining == 30


def test_reset_leaves_a_mode_as_it_is(breaker: Breaker):
    breaker.set_mode("forced_open")
    breaker.reset()
    assert breaker.state == "open"


def test_events_tell_when_what_and_why(time: Time):
    breaker = opened(time)
    time.pass_by(30)
    succeed(breaker, 2)
    breaker.reset()
    breaker.set_mode("disabled", "drill")
    assert [(e.from_condition, e.to_condition, e.cause) for e in breaker.status().events] == [
        ("CLOSED", "OPEN", "10 of 10 calls failed"),
        ("OPEN", "HALF_OPEN", "the wait is over"),
        ("HALF_OPEN", "CLOSED", "the trials succeeded"),
        ("CLOSED", "CLOSED", "reset by an operator"),
        ("CLOSED", "DISABLED", "disabled: drill"),
    ]
    assert breaker.status().events[1].at - breaker.status().events[0].at == timedelta(seconds=30)


def test_the_last_hundred_events_are_kept(breaker: Breaker):
    for number in range(130):
        breaker.reset(f"reset {number}")
    events = breaker.status().events
    assert (len(events), events[0].cause, events[-1].cause) == (100, "reset 30", "reset 129")


def test_listeners_hear_transitions_and_calls(time: Time, breaker: Breaker):
    transitions: list[Transition] = []
    calls: list[CallRecorded] = []
    breaker.on_transition(transitions.append)
    breaker.on_call(calls.append)
    succeed(breaker)
    break_down(breaker, 9)
    with pytest.raises(CircuitOpen):
        breaker.call(answer)
    time.pass_by(31)
    breaker.call(time.pass_by, 5)
    assert [event.to_condition for event in transitions] == ["OPEN", "HALF_OPEN"]
    assert [call.outcome for call in calls] == ["success"] + ["failure"] * 9 + ["refused", "success"]
    assert calls[-1] == CallRecorded("payment-api", "success", 5.0, slow=True, trial=True)


def test_a_listener_that_raises_hurts_nobody(breaker: Breaker, caplog: pytest.LogCaptureFixture):
    heard: list[Transition] = []

    def broken(_event: object) -> None:
        raise RuntimeError("listener")

    breaker.on_call(broken)
    breaker.on_transition(broken)
    breaker.on_transition(heard.append)
    assert breaker.call(answer) == "answer"
    with pytest.raises(Away):
        breaker.call(fail)
    break_down(breaker, 8)
    assert breaker.state == "open"
    assert len(heard) == 1
    assert "a listener of breaker payment-api failed" in caplog.text


def test_the_last_error_is_kept_in_one_line_and_short(breaker: Breaker):
    break_down(breaker, 1, Away("line one\nline two " + "x" * 1_000))
    error = breaker.status().last_error
    assert error is not None
    assert error.text.startswith("Away: line one line two xxx")
    assert len(error.text) < 320


def test_outcomes_never_go_down(time: Time):
    breaker = opened(time)
    time.pass_by(30)
    succeed(breaker, 2)
    succeed(breaker, 3)
    time.pass_by(3_600)
    breaker.reset()
    assert breaker.outcomes() == {"success": 5, "failure": 10, "ignored": 0, "refused": 0}
