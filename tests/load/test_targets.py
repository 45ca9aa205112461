"""Each target is met, missed or not measured, by the figures."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from load.names import CONFIRMED_BY_WEBHOOK, PAYMENT_PAGE
from load.samples import Second
from load.targets import Verdict, judge
from tests.load import measured
from tests.load.measured import BEGAN, results, seconds, tally

EVERY = (
    "response time, average", "response time, P95", "response time, P99", "cache hit rate",
    "requests a second of one instance", "booking confirmed", "10,000 bookings at once",
    "answers as expected", "books are right",
)  # fmt: skip


def verdict(name: str, **found: Any) -> Verdict:
    return next(each for each in judge(results(**found)) if each.name == name)


def steady(*milliseconds: float) -> dict[str, Any]:
    return {"runs": {"load": [Second(at=BEGAN, requests={"ticket": tally(*milliseconds)})]}}


def confirmed(*milliseconds: float, failed: int = 0) -> dict[str, Any]:
    flows = {CONFIRMED_BY_WEBHOOK: tally(*milliseconds, failed=failed)}
    return {"runs": {"load": [Second(at=BEGAN, flows=flows)]}}


def test_nothing_measured_is_neither_met_nor_missed() -> None:
    verdicts = judge(results())
    assert tuple(each.name for each in verdicts) == EVERY
    assert {each.word for each in verdicts} == {"not measured"}
    assert {each.found for each in verdicts} == {"-"}


@pytest.mark.parametrize(
    "name, found, met",
    [
        ("response time, average", steady(99.9), True),
        ("response time, average", steady(100), False),
        ("response time, P95", steady(*[10] * 95, *[600] * 5), True),
        ("response time, P95", steady(*[10] * 94, *[600] * 6), False),
        ("response time, P99", steady(*[10] * 99, 1200), True),
        ("response time, P99", steady(*[10] * 98, 1200, 1200), False),
        ("cache hit rate", {"cache": measured.cache(71, 29)}, True),
        ("cache hit rate", {"cache": measured.cache(70, 30)}, False),
        ("cache hit rate", {"cache": measured.cache(0, 0)}, None),
        ("requests a second of one instance", {"capacities": [measured.capacity(1000)]}, True),
        ("requests a second of one instance", {"capacities": [measured.capacity(999)]}, False),
        ("booking confirmed", confirmed(1999), True),
        ("booking confirmed", confirmed(2000), False),
        ("booking confirmed", confirmed(*[10] * 99, failed=1), False),
        ("10,000 bookings at once", {"rush": measured.rush()}, True),
        ("10,000 bookings at once", {"rush": measured.rush(taken=8_001)}, False),
        ("10,000 bookings at once", {"rush": measured.rush(answered=9_999, sold_out=1_999)}, False),
        ("10,000 bookings at once", {"rush": measured.rush(unavailable=1, sold_out=1_999)}, False),
        ("10,000 bookings at once", {"rush": measured.rush(other=1, sold_out=1_999)}, False),
        ("10,000 bookings at once", {"rush": measured.rush(created=7_999, sold_out=2_001)}, False),
        ("10,000 bookings at once", {"rush": measured.rush(asked=100, answered=100)}, None),
        ("answers as expected", {"runs": {"load": seconds(2, 5.0)}}, True),
        ("answers as expected", {"runs": {"load": seconds(2, 5.0, errors=Counter(x=1))}}, False),
        ("answers as expected", {"runs": {"stress": seconds(2, 5.0, errors=Counter(x=1))}}, None),
        ("books are right", {"violations": []}, True),
        ("books are right", {"violations": ["oversold: 5 of 4"]}, False),
    ],
)  # fmt: skip
def test_a_target_is_judged_by_its_figure(name: str, found: dict[str, Any], met: bool | None) -> None:
    judged = verdict(name, **found)
    assert judged.met is met, judged
    assert judged.word == {True: "met", False: "missed", None: "not measured"}[met]


def test_the_figure_stands_beside_the_verdict() -> None:
    assert verdict("response time, average", **steady(40, 60)).found == "50.0 ms"
    assert verdict("cache hit rate", cache=measured.cache(3, 1)).found == "75.0%"
    assert (
        verdict("requests a second of one instance", capacities=[measured.capacity(1234)]).found == "1,234/s"
    )
    rush = verdict("10,000 bookings at once", rush=measured.rush(taken=8_003))
    assert rush.found == "8,000 × 201, 2,000 × 409, 0 × 503, 0 other, in 9.5 s; 3 oversold"
    assert "oversold: 5 of 4" in verdict("books are right", violations=["oversold: 5 of 4"]).found


def test_the_payment_modules_own_pages_are_not_ours_to_answer_for() -> None:
    run = [Second(at=BEGAN, requests={"ticket": tally(10), PAYMENT_PAGE: tally(5000)})]
    assert verdict("response time, P99", runs={"load": run}).found == "10.0 ms"


def test_latency_is_judged_by_the_steady_load_and_else_by_the_soak() -> None:
    load, soak, stress = (
        {name: seconds(3, time)} for name, time in (("load", 10), ("soak", 20), ("stress", 30))
    )
    assert verdict("response time, P95", runs={**soak, **load, **stress}).found == "10.0 ms"
    assert verdict("response time, P95", runs={**soak, **stress}).found == "20.0 ms"
    assert verdict("response time, P95", runs=stress).met is None
