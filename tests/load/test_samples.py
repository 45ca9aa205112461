"""Percentiles are those of the answers, however they are counted, grouped and written down."""

from __future__ import annotations

import math
from collections import Counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from load.samples import Second, Tally, all_requests, by_name, errors, grouped, rounded

TIMES = st.lists(st.integers(0, 30_000).map(lambda tenths: rounded(tenths / 10)), min_size=1, max_size=200)


def tally_of(*milliseconds: float) -> Tally:
    tally = Tally()
    for each in milliseconds:
        tally.add(each, failed=False)
    return tally


def test_percentiles_are_nearest_ranks() -> None:
    tally = tally_of(*range(1, 101))
    assert [tally.percentile(share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert tally.average == 50.5
    assert tally_of(7).percentile(0.5) == tally_of(7).percentile(0.99) == 7
    assert tally_of(1, 2, 3, 1000).percentile(0.95) == 1000


@given(TIMES, st.floats(0.01, 1.0))
def test_a_percentile_is_not_exceeded_by_its_share_and_no_smaller_time_is(
    times: list[float], share: float
) -> None:
    found = tally_of(*times).percentile(share)
    rank = max(1, math.ceil(round(len(times) * share, 6)))
    assert found == sorted(times)[rank - 1]


@given(TIMES, TIMES)
def test_joined_tallies_are_one_tally_of_all(first: list[float], second: list[float]) -> None:
    joined = tally_of(*first)
    joined.join(tally_of(*second))
    assert joined == tally_of(*first, *second)


def test_nothing_counted_has_no_time() -> None:
    assert (Tally().count, Tally().average, Tally().percentile(0.99)) == (0, 0.0, 0.0)


@pytest.mark.parametrize("milliseconds, failed, good", [(1000, False, 1), (1001, False, 0), (5, True, 0)])
def test_good_is_what_is_right_and_in_time(milliseconds: float, failed: bool, good: int) -> None:
    tally = Tally()
    tally.add(milliseconds, failed=failed)
    assert (tally.count, tally.good, tally.failed) == (1, good, int(failed))


def test_a_second_comes_back_as_it_was_written() -> None:
    second = Second(
        at=1.5, users=3, stage="load", cpu=0.25, sold_out=2, requests={"hold": tally_of(0.4, 12.3, 1500)},
        flows={"bought": tally_of(900)}, errors=Counter({"hold: 500": 1}),
    )  # fmt: skip
    assert Second.of(orjson.loads(orjson.dumps(second.document()))) == second


def test_seconds_are_added_up_by_name_and_together() -> None:
    seconds = [
        Second(at=1, requests={"a": tally_of(1), "b": tally_of(2)}, errors=Counter(x=1)),
        Second(at=2, requests={"a": tally_of(3)}, flows={"f": tally_of(9)}, errors=Counter(x=2)),
    ]
    assert by_name(seconds) == {"a": tally_of(1, 3), "b": tally_of(2)}
    assert by_name(seconds, flows=True) == {"f": tally_of(9)}
    assert all_requests(seconds) == tally_of(1, 2, 3)
    assert all_requests(seconds, leave_out={"a"}) == tally_of(2)
    assert errors(seconds) == Counter(x=3)


@pytest.mark.parametrize("count", [1, 89, 90, 91, 1000])
def test_groups_hold_every_second_in_order(count: int) -> None:
    seconds = [Second(at=number) for number in range(count)]
    groups = grouped(seconds, 90)
    assert len(groups) <= 90
    assert [each for group in groups for each in group] == seconds
