"""Half-open: leased trials, one at a time, never stuck, and no late result decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from common.resilience.breaker import Breaker
from common.resilience.refusals import BulkheadFull, CircuitOpen
from common.resilience.trials import Release
from tests.resilience.stage import SPEC, Away, Time, answer, break_down, breaker_of, fail, opened, succeed


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def half_open(time: Time) -> Breaker:
    breaker = opened(time)
    time.pass_by(30)
    assert breaker.state == "half_open"
    return breaker


def test_who_has_heard_from_the_dependency_ends_the_wait_and_trials_decide_as_ever(time: Time) -> None:
    breaker = opened(time)
    breaker.try_now()
    assert breaker.state == "half_open"
    break_down(breaker)
    assert breaker.state == "open"
    assert breaker.open_remaining == 60  # the second wait in a row
    breaker.try_now()
    succeed(breaker, 2)
    assert breaker.state == "closed"


def test_what_is_closed_or_forced_open_waits_for_nothing(time: Time) -> None:
    breaker = breaker_of(time)
    breaker.try_now()
    assert breaker.state == "closed"
    breaker.set_mode("forced_open")
    breaker.try_now()
    with pytest.raises(CircuitOpen):
        breaker.call(answer)


class Hanging:
    """Calls that have been let through and go on until they are told how to end."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self._ends: list[tuple[threading.Event, list[BaseException], threading.Thread]] = []

    def begin(self) -> bool:
        """Try one more; whether it was let through."""
        entered, refused, end = threading.Event(), threading.Event(), threading.Event()
        errors: list[BaseException] = []

        def call() -> None:
            entered.set()
            end.wait(20)
            if errors:
                raise errors[0]

        def run() -> None:
            try:
                self._breaker.call(call)
            except CircuitOpen:
                refused.set()
            except Away:
                pass

        thread = threading.Thread(target=run)
        thread.start()
        while not (entered.is_set() or refused.is_set()):
            entered.wait(0.001)
        if refused.is_set():
            thread.join()
            return False
        self._ends.append((end, errors, thread))
        return True

    def finish(self, index: int, error: BaseException | None = None) -> None:
        """End that call."""
        end, errors, thread = self._ends[index]
        if error is not None:
            errors.append(error)
        end.set()
        thread.join()


@pytest.fixture
def hanging() -> Any:
    made: list[Hanging] = []

    def make(breaker: Breaker) -> Hanging:
        made.append(Hanging(breaker))
        return made[-1]

    yield make
    for each in made:
        for index in range(len(each._ends)):
            each.finish(index)


def test_one_success_leaves_it_half_open_and_two_close_it(half_open: Breaker):
    succeed(half_open)
    assert half_open.state == "half_open"
    succeed(half_open)
    assert half_open.state == "closed"
    assert half_open.status().counts.calls == 0


def test_one_failed_trial_opens_again_with_the_doubled_wait(half_open: Breaker):
    succeed(half_open)
    break_down(half_open)
    assert half_open.state == "open"
    assert half_open.open_remaining == 60


def test_while_a_trial_is_under_way_everybody_else_is_refused(half_open: Breaker, hanging: Any):
    trial = hanging(half_open)
    assert trial.begin()
    assert not trial.begin()
    trial.finish(0)
    assert trial.begin()


def test_of_64_threads_one_at_a_time_is_let_through(half_open: Breaker):
    start, go_on = threading.Barrier(65), threading.Event()
    inside: list[int] = []
    most, lock = [0], threading.Lock()

    def trial() -> None:
        with lock:
            inside.append(1)
            most[0] = max(most[0], len(inside))
        go_on.wait(10)
        with lock:
            inside.pop()

    refused: list[bool] = []

    def run() -> None:
        start.wait()
        try:
            half_open.call(trial)
        except CircuitOpen:
            refused.append(True)
        if len(refused) == 63:
            go_on.set()

    threads = [threading.Thread(target=run) for _ in range(64)]
    for thread in threads:
        thread.start()
    start.wait()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert len(refused) == 63


def test_a_trial_that_never_reports_back_makes_room_when_its_lease_is_over(
    time: Time, half_open: Breaker, hanging: Any
):
    lost = hanging(half_open)
    assert lost.begin()
    time.pass_by(15.9)
    assert not lost.begin()
    time.pass_by(0.2)
    succeed(half_open, 2)
    assert half_open.state == "closed"


def test_three_lost_trials_open_again_instead_of_letting_a_fourth_through(
    time: Time, half_open: Breaker, hanging: Any
):
    lost = hanging(half_open)
    for _ in range(3):
        assert lost.begin()
        time.pass_by(16.1)
    assert not lost.begin()
    assert half_open.state == "open"
    assert half_open.status().events[-1].cause == "no trial was reported back in time"
    wait, generation = half_open.open_remaining, half_open.status().generation
    lost.finish(2, Away("late"))
    assert (half_open.open_remaining, half_open.status().generation) == (wait, generation)
    time.pass_by(61)
    succeed(half_open, 2)
    assert half_open.state == "closed"


@pytest.mark.parametrize("error", [None, Away("late")])
def test_the_late_result_of_a_lost_trial_changes_nothing(
    time: Time, half_open: Breaker, hanging: Any, error: Exception | None
):
    lost = hanging(half_open)
    assert lost.begin()
    time.pass_by(16.1)
    succeed(half_open)
    lost.finish(0, error)
    assert half_open.state == "half_open"


@pytest.mark.parametrize("error", [None, Away("late")])
def test_late_results_from_before_the_trip_change_nothing(time: Time, hanging: Any, error: Exception | None):
    breaker = breaker_of(time)
    late = hanging(breaker)
    for _ in range(5):
        assert late.begin()
    break_down(breaker, 10)
    late.finish(0, error)
    assert breaker.state == "open"
    assert breaker.status().counts.calls == 10
    time.pass_by(30)
    late.finish(1, error)
    late.finish(2, error)
    assert breaker.state == "half_open"
    succeed(breaker, 2)
    late.finish(3, error)
    late.finish(4, error)
    assert breaker.state == "closed"
    assert breaker.status().counts.calls == 0


def test_a_trial_that_ends_after_a_reset_does_not_open_again(half_open: Breaker, hanging: Any):
    trial = hanging(half_open)
    assert trial.begin()
    half_open.reset()
    trial.finish(0, Away("too late"))
    assert half_open.state == "closed"


def test_a_trial_that_was_not_made_after_all_gives_its_lease_back(half_open: Breaker):
    for _ in range(10):
        with suppress(BulkheadFull):
            half_open.call(fail, BulkheadFull("payment-api", 1, 1))
    succeed(half_open, 2)
    assert half_open.state == "closed"


def test_a_trial_that_takes_its_whole_time_out_is_a_failure(time: Time, half_open: Breaker):
    half_open.call(time.pass_by, 8)
    assert half_open.state == "open"


class Places:
    """Room for two trials over all processes."""

    def __init__(self) -> None:
        self.free = 2

    def take(self) -> Release | None:
        if not self.free:
            return None
        self.free -= 1
        return self.give_back

    def give_back(self) -> None:
        self.free += 1


def _half_open_with(time: Time, places: Any) -> Breaker:
    breaker = opened(time, SPEC, places=places)
    time.pass_by(30)
    return breaker


def test_no_trial_without_a_place_and_none_is_used_up_by_asking(time: Time):
    places = Places()
    places.free = 0
    breaker = _half_open_with(time, places)
    for _ in range(10):
        with pytest.raises(CircuitOpen):
            breaker.call(answer)
    places.free = 1
    succeed(breaker, 2)
    assert breaker.state == "closed"


@pytest.mark.parametrize("end", [answer, fail, lambda: fail(BulkheadFull("x", 1, 1))])
def test_every_trial_gives_its_place_back(time: Time, end: Callable[[], object]):
    places = Places()
    breaker = _half_open_with(time, places)
    with suppress(Away, BulkheadFull):
        breaker.call(end)
    assert places.free == 2


def test_a_lost_trial_gives_its_place_back_to_the_others(time: Time, hanging: Any):
    places = Places()
    breaker = _half_open_with(time, places)
    lost = hanging(breaker)
    assert lost.begin()
    assert places.free == 1
    time.pass_by(16.1)
    succeed(breaker)
    assert places.free == 2
    lost.finish(0)
    assert places.free == 2


def test_when_places_cannot_be_had_this_process_goes_on_alone(time: Time, caplog: pytest.LogCaptureFixture):
    class Broken:
        def take(self) -> Release | None:
            raise OSError("no disk")

    breaker = _half_open_with(time, Broken())
    succeed(breaker, 2)
    assert breaker.state == "closed"
    assert "goes on alone" in caplog.text


@pytest.mark.parametrize("act", ["reset", "forced_open"])
def test_a_hanging_trial_gives_its_place_back_when_an_operator_acts(time: Time, hanging: Any, act: Any):
    places = Places()
    breaker = _half_open_with(time, places)
    lost = hanging(breaker)
    assert lost.begin()
    if act == "reset":
        breaker.reset()
    else:
        breaker.set_mode(act)
    assert places.free == 2
    lost.finish(0)
    assert places.free == 2
