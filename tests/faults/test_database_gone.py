"""Without its database: what is kept is shown, what is not is refused, operators reach what is theirs; and
when it is back all is well within the breaker's wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from common.identifiers import uuid7
from tests.faults.matrix import DATABASE_KILLED, NEED_STORE, STORE_AWAY
from tests.faults.plant import Plant
from tests.faults.truth import assert_nothing_is_lost, look_at_attempts
from tests.servers.process import eventually

pytestmark = [pytest.mark.mariadb, pytest.mark.xdist_group("plant")]

LONGEST_WAIT_SECONDS = 10.0
WITHIN_SECONDS = 1.0
GUARD_SECONDS = 15.0
"""What a machine that is busy with other tests may need on top: this measures nothing."""


def test_full_service_is_back_within_the_wait_of_the_breaker(plant: Plant) -> None:
    with plant.told(), plant.people() as people:
        people.wait_for(2)
        with plant.dependencies["database"].under("killed"):
            eventually(lambda: "CLOSED" not in plant.states("database"), seconds=60, what="an open breaker")
            opened, lifted = look_at_attempts(plant, DATABASE_KILLED, people)
        # Nobody resets anything: what is awaited is what the processes themselves have announced.
        processes = plant.breakers()["database"]["processes"].values()
        waits = [_seconds_until(row["nextAttemptTime"]) for row in processes if row["nextAttemptTime"]]
        assert max(waits, default=0) <= LONGEST_WAIT_SECONDS
        eventually(
            lambda: plant.states("database") == {"CLOSED"},
            seconds=max([0.0, *waits]) + WITHIN_SECONDS + GUARD_SECONDS,
            what="full service",
        )
        well_again = time.monotonic()
        people.wait_for(2)
        ended = time.monotonic()
    answers = people.between(opened, lifted)
    assert {answer for operation, answer in answers if operation in NEED_STORE} == {STORE_AWAY}
    people.assert_all_is_well(well_again, ended)
    assert_nothing_is_lost(plant, people)


def test_what_is_kept_is_shown_and_what_a_sale_has_ended_is_not(plant: Plant) -> None:
    """Nobody is shown places that the service knows to be sold. The gateway has an older copy for that."""
    sold, quiet = plant.venue.free, plant.venue.quiet
    kept = [f"/tickets/{sold.ticket}", f"/tickets/{quiet.ticket}", _places(quiet.ticket, quiet.day)]
    ended = _places(sold.ticket, sold.day)
    with httpx.Client(base_url=f"{plant.stack.ticketing_url}/api/v1", timeout=30, trust_env=False) as client:
        eventually(lambda: plant.states("cache") == {"CLOSED"}, what="the cache being there")
        # what Redis was late for is not kept: the next who reads it tries again
        plant.flush()
        eventually(lambda: _are_kept(client, plant, [*kept, ended]), what="all being in the cache")
        before = {path: client.get(path) for path in [*kept, ended]}
        assert {answer.status_code for answer in before.values()} == {200}
        body = {
            "items": [{"slotId": sold.slot, "units": [{"unitId": sold.unit, "quantity": 1}]}],
            "customer": {"name": "Ann", "email": "ann@example.org", "language": "en"},
        }
        headers = {**plant.stack.bearer("support"), "Idempotency-Key": uuid7().hex}
        assert client.post("/bookings", json=body, headers=headers).status_code == 201
        with plant.dependencies["database"].under("killed"):
            for path in kept:
                _assert_shown(client, path, before[path])
            for path in (ended, f"/tickets/{uuid7()}"):
                _assert_store_away(client.get(path))
            _assert_monitoring_answers(client, plant)
        plant.reset("database")
        eventually(lambda: client.get(ended).status_code == 200, what="places being shown again")


def _are_kept(client: httpx.Client, plant: Plant, paths: list[str]) -> bool:
    """Whether all are in the cache, and nothing else."""
    for path in paths:
        assert client.get(path).status_code == 200
    return plant.cached() == len(paths)


def _assert_shown(client: httpx.Client, path: str, before: httpx.Response) -> None:
    """On a busy machine Redis may be late, and then there is no other place to ask."""
    answers: list[str] = []

    def is_shown() -> bool:
        answer = client.get(path)
        answers[:] = [f"{answer.status_code} {answer.text}"]
        return answer.content == before.content

    try:
        eventually(is_shown, what=path)
    except AssertionError as error:
        error.add_note(f"{answers[0]} instead of {before.text}")
        raise
    known = {"If-None-Match": before.headers["ETag"]}
    eventually(lambda: client.get(path, headers=known).status_code == 304, what="nothing new")


def _assert_monitoring_answers(client: httpx.Client, plant: Plant) -> None:
    """Also operators' acts, without the store."""
    assert client.get("/monitoring/live").status_code == 200
    eventually(lambda: client.get("/monitoring/health").status_code == 503, what="health telling of it")
    checks: dict[str, Any] = client.get("/monitoring/health").json()["checks"]
    assert checks["database"]["status"] == "unhealthy"
    assert client.get("/monitoring/circuit-breakers").status_code == 200
    plant.reset("database")


def _assert_store_away(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "STORE_UNAVAILABLE")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1


def _places(ticket: str, day: str) -> str:
    return f"/tickets/{ticket}/availability?from={day}&to={day}"


def _seconds_until(instant: str) -> float:
    return (datetime.fromisoformat(instant) - datetime.now(UTC)).total_seconds()
