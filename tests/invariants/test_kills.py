"""Processes killed with SIGKILL during a load over HTTP: what was promised stands, the rest is cleared up."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.beneath import open_beneath
from tests.counts import counts
from tests.invariants.checker import check, explain
from tests.invariants.destination import Destination, open_destination
from tests.invariants.load import Run, in_the_balance, run_clients
from tests.servers.mariadb import MariaDB
from tests.servers.secantus import Secantus
from tests.servers.stack import ServiceStack
from ticketing_service.storage.opening import open_store

PROCESSES, THREADS, OPERATIONS = counts((2, 4, 20), (4, 16, 100))
CAPACITY = PROCESSES * THREADS * OPERATIONS // 8
KILL_SECONDS = 0.2
# Bounded, so that a slow machine, on which a worker has hardly begun when it is killed, comes to an end too.
MOST_KILLS = counts(50, 400)
WEB_WORKERS = 4
DATABASE_UP_SECONDS = counts(1.0, 3.0)


def _seed() -> int:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    return seed


def _open_destination(url: str) -> Destination:
    store = open_store(url, threads=1)
    try:
        return open_destination(store, CAPACITY, max_uses=3)
    finally:
        store.close()


@contextmanager
def _stack(folder: Path, url: str) -> Iterator[ServiceStack]:
    with ServiceStack(folder / "data", database_url=url, web_workers=WEB_WORKERS) as stack:
        authorisation = {"Authorization": f"Bearer {stack.env['PAYMENT_API_TOKEN']}"}
        told = httpx.put(
            f"{stack.payment_url}/sandbox/behaviour", json={"autoPay": "authorize"}, headers=authorisation
        )
        assert told.status_code == 200, told.text
        yield stack


def _load(
    folder: Path,
    stack: ServiceStack,
    destination: Destination,
    seed: int,
    meanwhile: Callable[[], None],
    enough: Callable[[], bool],
) -> Run:
    """The load goes on until enough was killed, and some hold had no answer when it was."""
    configuration: dict[str, Any] = {
        "base_url": stack.ticketing_url,
        "headers": stack.bearer("support"),
        "seed": seed,
        "threads": THREADS,
        "operations": OPERATIONS,
        "destination": destination.document(),
    }
    return run_clients(
        folder,
        "tests.invariants.web_client",
        [configuration] * PROCESSES,
        None,
        meanwhile,
        lambda: enough() and in_the_balance(folder, "hold") > 0,
    )


def _assert_whole(url: str, run: Run, seed: int, stack: ServiceStack) -> None:
    """Nothing broke, every promise can be read, and it was a sale in which promises were made."""
    database = open_beneath(url)
    try:
        violations = check(database, run.history)
    finally:
        database.close()
    assert not violations, explain(violations, seed)
    assert run.count("hold") > 5
    assert run.count("confirm") > 0
    assert run.count("hold", "unknown") > 0, "nothing was in the balance when the kills came"
    acknowledged = {record.booking for record in run.history if record.booking is not None}
    with httpx.Client(base_url=f"{stack.ticketing_url}/api/v1", headers=stack.bearer("support")) as client:
        for booking in sorted(acknowledged)[:: counts(5, 25)]:
            assert client.get(f"/bookings/{booking}").status_code == 200


def test_web_workers_killed_every_200_ms_lose_nothing(store_url: str, tmp_path: Path) -> None:
    seed = _seed()
    destination = _open_destination(store_url)
    chance = random.Random(seed)
    kills = 0
    next_kill = time.monotonic() + KILL_SECONDS

    with _stack(tmp_path, store_url) as stack:

        def kill_one() -> None:
            nonlocal kills, next_kill
            workers = stack.web_worker_pids()
            if time.monotonic() < next_kill or not workers or kills == MOST_KILLS:
                return
            next_kill = time.monotonic() + KILL_SECONDS
            with suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)
                kills += 1

        run = _load(tmp_path, stack, destination, seed, kill_one, lambda: kills >= 5)
        stack.wait_until_ready()
        assert kills >= 5
        _assert_whole(store_url, run, seed, stack)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(MariaDB, marks=pytest.mark.mariadb, id="mariadb"),
        pytest.param(Secantus, marks=pytest.mark.mongodb, id="mongodb"),
    ],
)
def test_a_database_killed_and_restarted_loses_nothing(
    kind: type[MariaDB] | type[Secantus], tmp_path: Path
) -> None:
    seed = _seed()
    with kind() as server:
        url = server.new_database("killed")
        kills, next_kill = 0, 0.0
        with _stack(tmp_path, url) as stack:
            destination = _open_destination(url)
            next_kill = time.monotonic() + DATABASE_UP_SECONDS

            def kill_and_restart() -> None:
                nonlocal kills, next_kill
                if time.monotonic() >= next_kill and kills < counts(6, 8):
                    server.kill()
                    server.start()
                    kills += 1
                    next_kill = time.monotonic() + DATABASE_UP_SECONDS

            run = _load(tmp_path, stack, destination, seed, kill_and_restart, lambda: kills >= 1)
            stack.wait_until_ready()
            assert kills >= 1
            _assert_whole(url, run, seed, stack)
