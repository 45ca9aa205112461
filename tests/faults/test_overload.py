"""Three times as many requests as can be answered: as many are answered as ever, the rest is told so soon."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator

import pytest
from flask import Blueprint, Flask

from common.web import arrival, problems, security
from common.web.overload import HURRIED_SECONDS, LAST_SECONDS, PATIENT_SECONDS, SHORT_SECONDS, Gate, Urgency
from tests.counts import counts
from tests.faults.open_load import Outcome, arrive, send
from tests.faults.slow_server import GATE, LIVE, WORK, SlowServer

THREADS, SECONDS = 4, 0.2
CAPACITY = THREADS / SECONDS
DURATION = counts(5, 30)
ROUNDS = 5
"""In one of them, before long, nothing else keeps the machine busy."""


@pytest.fixture
def port() -> Iterator[int]:
    """An app of a known capacity."""
    with SlowServer(SECONDS, threads=THREADS) as server:
        server.wait_until_ready()
        yield server.port


def goodput(outcomes: list[Outcome]) -> float:
    """Good answers a second, between the first request and the last one to come."""
    good = [each for each in outcomes if each.status == 200]
    return len(good) / (max(each.ended for each in good) - min(each.began for each in outcomes))


def test_goodput_stays_and_the_rest_is_refused_soon(port: int) -> None:
    paths = [_path(number) for number in range(int(3 * CAPACITY * DURATION))]
    for _ in range(ROUNDS):
        peak = goodput(arrive(port, [WORK] * int(CAPACITY * DURATION), CAPACITY, keep=True))
        outcomes = arrive(port, paths, 3 * CAPACITY, keep=True)
        rush = goodput([each for each in outcomes if each.path != LIVE])
        refused = [each for each in outcomes if each.status == 503]
        waited = statistics.median([each.seconds for each in refused] or [DURATION])
        if rush >= 0.9 * peak and waited < PATIENT_SECONDS:
            break
    assert {each.status for each in outcomes} == {200, 503}
    assert rush >= 0.9 * peak
    assert len(refused) > len(outcomes) / 3
    assert {each.path for each in refused} == {WORK}
    for each in refused:
        assert each.headers["retry-after"] == "1"
        assert json.loads(each.body)["code"] == "OVERLOADED"
    # Without refusals the last ones would wait for more than twice the whole duration.
    assert waited < PATIENT_SECONDS


def test_after_the_rush_everything_is_answered_again(port: int) -> None:
    arrive(port, [WORK] * int(3 * CAPACITY), 3 * CAPACITY)
    assert [send(port, WORK).status for _ in range(3)] == [200] * 3


def test_a_burst_is_let_through_and_a_queue_that_stands_is_cut_short() -> None:
    gate = Gate(0.0)
    assert gate.admits(0.0, 10.0, usual)
    assert gate.admits(PATIENT_SECONDS, 10.1, usual)
    assert not gate.admits(PATIENT_SECONDS + 0.01, 10.2, usual)
    assert gate.admits(HURRIED_SECONDS, 11.0, usual)
    assert not gate.admits(HURRIED_SECONDS + 0.01, 11.0, usual)
    assert gate.admits(SHORT_SECONDS / 2, 11.1, usual)
    assert gate.admits(PATIENT_SECONDS, 11.2, usual)


@pytest.mark.parametrize(
    "path, waited, status",
    [
        ("/usual", HURRIED_SECONDS / 2, 404),
        ("/usual", 2 * PATIENT_SECONDS, 503),
        ("/gate", 2 * PATIENT_SECONDS, 404),
        ("/gate", 2 * LAST_SECONDS, 503),
        ("/m/live", 2 * LAST_SECONDS, 200),
        ("/usual/m/live", 2 * LAST_SECONDS, 503),
        ("/usual", None, 404),
    ],
)
def test_what_is_urgent_is_refused_last_and_monitoring_never(
    path: str, waited: float | None, status: int
) -> None:
    app = Flask(__name__, static_folder=None)
    security.install(app, refused_last=("/gate",))
    problems.install(app, {})
    monitoring = Blueprint("monitoring", __name__, url_prefix="/m")
    monitoring.add_url_rule("/live", view_func=lambda: "alive")
    app.register_blueprint(monitoring)
    arrival.note(waited)
    try:
        # A stamp of the gateway's alone, whose clock may be wrong, refuses nobody.
        answer = app.test_client().get(path, headers={"X-Request-Start": "t=1000000000.000"})
    finally:
        arrival.note(None)
    assert answer.status_code == status
    if status == 503:
        assert answer.json is not None
        assert answer.json["code"] == "OVERLOADED"
        assert answer.headers["Retry-After"] == "1"
        assert answer.json["instance"] == answer.headers["X-Request-Id"]


def usual() -> Urgency:
    return "usual"


def _path(number: int) -> str:
    """One in twelve is urgent, one in twelve watches."""
    return {0: GATE, 6: LIVE}.get(number % 12, WORK)
