"""Processes killed with SIGKILL during a load over HTTP: what was promised stands, the rest is cleared up."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.counts import counts
from tests.invariants.over_http import (
    assert_unanswered,
    assert_whole,
    destination_in,
    is_unanswered,
    is_under_way,
    load_it,
    new_seed,
    served,
)
from tests.servers.mariadb import MariaDB
from tests.servers.process import eventually
from tests.servers.secantus import Secantus

KILL_SECONDS = 0.2
MOST_KILLS = counts(15, 400)
DATABASE_KILLS, DATABASE_UP_SECONDS = counts((2, 1.0), (8, 3.0))


def test_web_workers_killed_every_200_ms_lose_nothing(store_url: str, tmp_path: Path) -> None:
    seed = new_seed()
    destination = destination_in(store_url)
    chance = random.Random(seed)
    kills = 0
    next_kill = time.monotonic() + KILL_SECONDS

    with served(tmp_path, store_url) as stack:

        def kill_one() -> None:
            nonlocal kills, next_kill
            workers = stack.web_worker_pids()
            if time.monotonic() < next_kill or not workers or (kills >= MOST_KILLS and enough()):
                return
            # On a slow machine a worker has hardly begun when it is killed: it is given more and more time.
            next_kill = time.monotonic() + KILL_SECONDS * max(1.0, kills / MOST_KILLS) ** 4
            with suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)
                kills += 1

        def enough() -> bool:
            return kills >= 5 and is_unanswered(tmp_path)

        run = load_it(tmp_path, stack, destination, seed, kill_one, enough)
        stack.wait_until_ready()
        assert kills >= 5
        assert_unanswered(run)
        assert_whole(store_url, run, seed, stack)


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
    """At once, which a driver may sit out, and at last when a hold has waited for it in vain."""
    seed = new_seed()
    with kind() as server:
        url = server.new_database("killed")
        kills, next_kill = 0, 0.0
        with served(tmp_path, url) as stack:
            destination = destination_in(url)
            next_kill = time.monotonic() + DATABASE_UP_SECONDS

            def kill_and_restart() -> None:
                nonlocal kills, next_kill
                if time.monotonic() >= next_kill and kills < DATABASE_KILLS and is_under_way(tmp_path):
                    server.kill()
                    if kills == DATABASE_KILLS - 1:
                        eventually(lambda: is_unanswered(tmp_path), seconds=60, what="an unanswered hold")
                    server.start()
                    kills += 1
                    next_kill = time.monotonic() + DATABASE_UP_SECONDS

            run = load_it(
                tmp_path,
                stack,
                destination,
                seed,
                kill_and_restart,
                lambda: kills == DATABASE_KILLS,
            )
            stack.wait_until_ready()
            assert_unanswered(run)
            assert_whole(url, run, seed, stack)
