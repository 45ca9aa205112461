"""Three times as many requests as can be answered: as many are answered as ever, the rest is told so soon."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from flask import Blueprint, Flask

from common.web import arrival, problems, security
from common.web.overload import (
    HURRIED_SECONDS,
    LAST_SECONDS,
    LONGEST_PAUSE_SECONDS,
    PATIENT_SECONDS,
    SHORT_SECONDS,
    Gate,
    Urgency,
)
from tests.counts import counts
from tests.faults.open_load import Outcome, arrive, send
from tests.faults.slow_server import GATE, LIVE, WORK, SlowServer
from tests.servers.process import eventually

THREADS, SECONDS = 4, 0.2
CAPACITY = THREADS / SECONDS
DURATION = counts(5, 30)
ROUNDS = 5
"""In one of them, before long, nothing else keeps the machine busy."""


@pytest.fixture
def server() -> Iterator[SlowServer]:
    """An app of a known capacity."""
    with SlowServer(SECONDS, threads=THREADS) as server:
        server.wait_until_ready()
        yield server


@pytest.fixture
def port(server: SlowServer) -> int:
    return server.port


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
        assert 1 <= int(each.headers["retry-after"]) <= LONGEST_PAUSE_SECONDS
        assert json.loads(each.body)["code"] == "OVERLOADED"
    # About as many are called back in a second as are answered in one, and not all at once.
    assert len({each.headers["retry-after"] for each in refused}) > 1
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


def test_those_who_are_refused_are_called_back_one_after_another() -> None:
    gate = Gate(0.0)
    # A queue from which ten a second are taken.
    for number in range(1000):
        assert gate.admits(0.2, number / 10, usual)
    now = 100.0
    told = [gate.pause(now) for _ in range(100)]
    assert told == sorted(told)
    assert told[-1] in (10, 11)
    assert all(9 <= count <= 11 for count in Counter(told[:-10]).values())
    # As time goes on turns come free, and nobody is told a time that has gone.
    assert gate.pause(now + 5) in (6, 7)
    assert gate.pause(now + 60) == 1


def test_beyond_half_a_minute_the_turns_are_shared() -> None:
    gate = Gate(0.0)
    for number in range(1000):
        gate.admits(0.2, number / 10, usual)
    told = Counter(gate.pause(100.0) for _ in range(600))
    assert set(told) == set(range(1, LONGEST_PAUSE_SECONDS + 1))
    assert all(15 <= count <= 25 for count in told.values())


def test_half_of_the_threads_go_on_answering_when_every_request_is_too_old() -> None:
    gate, old = Gate(0.0), 2 * PATIENT_SECONDS
    with ExitStack() as stack:
        threads = [stack.enter_context(ThreadPoolExecutor(1)) for _ in range(4)]

        def decide(number: int, waited: float) -> bool:
            return threads[number].submit(gate.admits, waited, 10.0, usual).result()

        assert all(decide(number, 0.0) for number in range(4))
        assert [decide(number, old) for number in range(4)] == [False, False, True, True]
        assert [decide(number, old) for number in (0, 1, 0)] == [False, False, False]
        assert [decide(number, 2 * LAST_SECONDS) for number in range(4)] == [False] * 4
        assert decide(0, old)


def test_neither_idle_time_nor_refusals_make_a_turn_longer() -> None:
    gate = Gate(0.0)
    for number in range(1000):
        gate.admits(0.2, number / 100, usual)
    # A minute without anybody, then one that had waited; a second in which all are refused, then one not.
    assert gate.admits(0.2, 70.0, usual)
    assert not gate.admits(3.0, 70.01, usual)
    assert gate.admits(0.2, 71.0, usual)
    told = [gate.pause(71.0) for _ in range(200)]
    assert told[-1] in (2, 3)


@pytest.mark.parametrize("waited, status", [(2 * PATIENT_SECONDS, 404), (2 * LAST_SECONDS, 503)])
def test_a_wait_without_a_queue_is_no_overload(waited: float, status: int) -> None:
    app = Flask(__name__, static_folder=None)
    security.install(app)
    problems.install(app, {})
    arrival.note(waited, alone=True)
    try:
        answer = app.test_client().get("/usual")
    finally:
        arrival.note(None)
    assert answer.status_code == status


def test_who_came_alone_while_the_machine_stood_still_is_answered(server: SlowServer) -> None:
    # In one of the rounds the end of an earlier connection, which looks like somebody, is not seen with it.
    assert any(_sent_while_it_stands(server, 1) == [200] for _ in range(ROUNDS))
    assert set(_sent_while_it_stands(server, 40)) == {200, 503}


def _sent_while_it_stands(server: SlowServer, count: int) -> list[int]:
    """The statuses of so many requests that come together, longer ago than a request may wait."""
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(send(server.port, WORK).status)) for _ in range(count)
    ]
    server.pause()
    began = time.monotonic()
    for thread in threads:
        thread.start()
    eventually(lambda: time.monotonic() - began > PATIENT_SECONDS + SECONDS)
    server.resume()
    for thread in threads:
        thread.join()
    return statuses


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
