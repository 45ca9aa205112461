"""Each target is met, missed or not measured, by the figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
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
    "answers as expected", "beyond capacity", "after a spike", "soak", "books are right",
)  # fmt: skip

REFUSED = "hold: 503, expected 201 or 409 OVERLOADED"


def verdict(name: str, **found: Any) -> Verdict:
    return next(each for each in judge(results(**found)) if each.name == name)


def steady(*milliseconds: float) -> dict[str, Any]:
    return {"runs": {"load": [Second(at=BEGAN, requests={"ticket": tally(*milliseconds)})]}}


def confirmed(*milliseconds: float, failed: int = 0) -> dict[str, Any]:
    flows = {CONFIRMED_BY_WEBHOOK: tally(*milliseconds, failed=failed)}
    return {"runs": {"load": [Second(at=BEGAN, flows=flows)]}}


def stress(errors: dict[str, int] | None = None) -> dict[str, Any]:
    run = [*seconds(4, 20, stage="10 users"), *seconds(4, 20, stage="20 users", errors=Counter(errors or {}))]
    return {"runs": {"stress": run}}


def spiked(*after: float, wrong: str = "") -> dict[str, Any]:
    run = [
        *seconds(3, 30, stage="before"),
        *seconds(3, 900, stage="spike", errors=Counter({wrong: 1} if wrong else {})),
    ]
    return {"runs": {"spike": run + [each for time in after for each in seconds(1, time, stage="after")]}}


def soaked(first: float, last: float, web: float, minutes: float = 5) -> dict[str, Any]:
    """P95 in the beginning and at the end; 100 MB of web processes, and so much at the end."""
    times = [first, first, first, last, last, last]
    found = [
        replace(each, at=BEGAN + n * minutes * 12)
        for n, time in enumerate(times)
        for each in seconds(1, time)
    ]
    found[-1].at = BEGAN + minutes * 60
    looks = [
        replace(each, at=BEGAN + n) for n, each in enumerate(measured.memory(100, 100, 100, web, web, web))
    ]
    return {"runs": {"soak": found}, "memory": looks}


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
        ("10,000 bookings at once", {"rush": measured.rush(oversold=1)}, False),
        ("10,000 bookings at once", {"rush": measured.rush(twice=1)}, False),
        ("10,000 bookings at once", {"rush": measured.rush(lost=1)}, False),
        ("10,000 bookings at once", {"rush": measured.rush(untold=1)}, False),
        ("10,000 bookings at once", {"rush": measured.rush(sold=9_999, sold_out=201)}, False),
        ("10,000 bookings at once", {"rush": measured.rush(sold_out=199, gave_up=1)}, False),
        ("10,000 bookings at once", {"rush": measured.rush(sold_out=199, refused=1)}, False),
        ("10,000 bookings at once", {"rush": measured.rush(places=100, sold=100)}, None),
        ("answers as expected", {"runs": {"load": seconds(2, 5.0)}}, True),
        ("answers as expected", {"runs": {"load": seconds(2, 5.0, errors=Counter(x=1))}}, False),
        ("answers as expected", stress({"x": 1}), None),
        ("beyond capacity", stress(), True),
        ("beyond capacity", stress({REFUSED: 5}), True),
        ("beyond capacity", stress({REFUSED: 5, "hold: 500, expected 201": 1}), False),
        ("after a spike", spiked(*[10] * 20), True),
        ("after a spike", spiked(*[900] * 15, *[10] * 5), True),
        ("after a spike", spiked(*[900] * 16, *[10] * 5), False),
        ("after a spike", spiked(*[900] * 20), False),
        ("after a spike", spiked(*[900] * 10), None),
        ("after a spike", spiked(*[10] * 20, wrong="ticket: 0 (timed out), expected 200"), False),
        ("after a spike", spiked(*[10] * 20, wrong=REFUSED), True),
        ("soak", soaked(250, 500, 115), True),
        ("soak", soaked(250, 501, 115), False),
        ("soak", soaked(20, 199, 115), True),
        ("soak", soaked(250, 500, 180), False),
        ("soak", soaked(250, 600, 100, minutes=3), None),
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
    rush = verdict("10,000 bookings at once", rush=measured.rush(oversold=3, sold_out=190, gave_up=10))
    assert rush.found == (
        "10,000 sold in 20.0 s (500/s); 3 oversold, 0 twice, 0 lost; 10 without a place or a refusal"
    )
    assert verdict("beyond capacity", **stress({REFUSED: 5})).found == (
        "10 right answers/s at 10 users, 10 at 20; 0.0% refused there, nothing wrong"
    )
    assert verdict("after a spike", **spiked(*[900] * 4, *[10] * 16)).found == (
        "calm after 4 s; P95 30 ms before, 900 in it; nothing wrong"
    )
    assert (
        verdict("soak", **soaked(250, 500, 115)).found == "P95 250 → 500 ms, memory 150 MB +10.0%, in 5 min"
    )
    assert "oversold: 5 of 4" in verdict("books are right", violations=["oversold: 5 of 4"]).found


def test_the_payment_modules_own_pages_are_not_ours_to_answer_for() -> None:
    run = [Second(at=BEGAN, requests={"ticket": tally(10), PAYMENT_PAGE: tally(5000)})]
    assert verdict("response time, P99", runs={"load": run}).found == "10.0 ms"


def test_latency_is_judged_by_the_steady_load_and_else_by_the_soak() -> None:
    load, soak, smoke = (
        {name: seconds(3, time)} for name, time in (("load", 10), ("soak", 20), ("smoke", 30))
    )
    assert verdict("response time, P95", runs={**soak, **load, **smoke}).found == "10.0 ms"
    assert verdict("response time, P95", runs={**soak, **smoke}).found == "20.0 ms"
    assert verdict("response time, P95", runs=smoke).met is None
