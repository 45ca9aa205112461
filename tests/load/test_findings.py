"""What is read out of a run: the knee, the recovery, the drift."""

from __future__ import annotations

from dataclasses import replace

import pytest

from load import options
from load.findings import drift, spike, steps
from load.options import OptionError, Options, read_options
from load.stages import over_the_knee, stages
from tests.load.measured import memory, results, seconds

RUN = Options(profiles=("stress",), store="SQLite")


@pytest.mark.parametrize(
    "goodputs, over",
    [([], False), ([100], False), ([100, 190], False), ([100, 190, 200], True), ([100, 20], True)],
)
def test_the_knee_is_where_twice_the_users_bring_too_little(goodputs: list[float], over: bool) -> None:
    assert over_the_knee(goodputs) is over


def test_a_step_is_judged_by_its_later_half() -> None:
    first = [*seconds(4, 2000, stage="10 users"), *seconds(4, 20, stage="10 users")]
    found = steps(results(runs={"stress": [*first, *seconds(2, 3000, stage="20 users")]}))
    assert [(step.users, step.goodput, step.p95) for step in found] == [(10, 10, 20), (20, 0, 3000)]


@pytest.mark.parametrize(
    "after, recovered", [([10] * 5, 0), ([900, 900, 10, 10, 10], 2), ([10, 900, 10, 900], None)]
)
def test_recovery_is_when_it_stays_calm(after: list[float], recovered: int | None) -> None:
    run = [*seconds(3, 30, stage="before"), *seconds(3, 900, stage="spike")]
    run += [second for time in after for second in seconds(1, time, stage="after")]
    found = spike(results(runs={"spike": run}))
    assert found is not None
    assert (found.before, found.during, found.recovered_after) == (30, 900, recovered)
    assert found.watched == len(after)


def test_drift_is_from_the_first_third_to_the_last() -> None:
    run = [*seconds(3, 10), *seconds(3, 20), *seconds(3, 40)]
    run = [replace(second, at=run[0].at + number) for number, second in enumerate(run)]
    found = drift(results(runs={"soak": run}, memory=memory(100, 100, 100, 110, 110, 110, 130, 130, 130)))
    assert found is not None
    assert (found.p95_first, found.p95_last, found.web, found.worker) == (10, 40, 30, 0)
    assert (found.before, found.growth) == (150, 0.2)


def test_what_was_not_run_is_not_found() -> None:
    assert (steps(results()), spike(results()), drift(results())) == ([], None, None)
    assert spike(results(runs={"spike": seconds(3, 10, stage="before")})) is None


def test_stages_take_the_time_and_the_users_that_were_asked_for() -> None:
    asked = replace(RUN, seconds=30.0, users=7)
    for profile in (options.SMOKE, options.LOAD, options.STRESS, options.SPIKE, options.SOAK):
        planned = stages(profile, asked)
        assert sum(stage.seconds for stage in planned) == pytest.approx(30)
        assert planned[0].users == 7
    assert [stage.users for stage in stages(options.STRESS, asked)] == [7, 14, 28, 56, 112, 224]
    assert [stage.users for stage in stages(options.SPIKE, asked)] == [7, 70, 7]


def test_the_short_series_is_the_default_and_all_has_the_soak_too() -> None:
    assert read_options({}) == Options(profiles=options.SHORT_SERIES, store="SQLite")
    assert read_options({"PROFILE": "all"}).profiles == options.PROFILES
    assert set(options.PROFILES) - set(options.SHORT_SERIES) == {options.SOAK}


def test_settings_are_read() -> None:
    found = read_options(
        {"PROFILE": "load,rush", "STORE": "mariadb", "DURATION": "2m", "USERS": "9", "THINK": "0.5",
         "BOOKINGS": "50"}
    )  # fmt: skip
    assert found == Options(
        profiles=("load", "rush"),
        store="MariaDB",
        seconds=120,
        users=9,
        think=0.5,
        rush=50,
    )


@pytest.mark.parametrize(
    "name, value",
    [
        ("PROFILE", "lod"), ("PROFILE", "load,,rush"), ("STORE", "oracle"), ("DURATION", "1"),
        ("DURATION", "12h"), ("DURATION", "long"), ("DURATION", "nan"), ("USERS", "0"), ("USERS", "²"),
        ("THINK", "-1"), ("THINK", "nan"), ("BOOKINGS", "x"), ("BOOKINGS", "12001"),
    ],
)  # fmt: skip
def test_an_impossible_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(OptionError, match=f"{name}={value}"):
        read_options({name: value})
