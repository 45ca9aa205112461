"""Which cores the workers of a service run on."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from common.web.own_cores import has_own_cores, least_taken
from tests.servers.gunicorn import Gunicorn
from tests.servers.process import Process, eventually

CORES = os.sched_getaffinity(0)
EACH = 2
WORKERS = EACH * len(CORES)
APP = "tests.run.blocking_app"


def test_the_workers_of_ticketing_share_out_the_cores_and_keep_to_theirs() -> None:
    with Gunicorn(APP, workers=WORKERS) as process:
        eventually(lambda: _evenly(process), what="each core having its workers")
        for _ in range(3):
            _kill_the_newest(process)
            eventually(lambda: _evenly(process), what="the next one having the core that became free")


@pytest.mark.parametrize("env", [{"SERVICE": "admin"}, {"WEB_CORES": "shared"}], ids=["admin", "shared"])
def test_others_run_on_any(env: Mapping[str, str]) -> None:
    with Gunicorn(APP, workers=WORKERS, env=env) as process:
        eventually(lambda: len(process.children()) == WORKERS, what="all being up")
        assert [_cores_of(pid) for pid in process.children()] == [CORES] * WORKERS


def test_cores_that_some_would_have_to_share_are_nobodys_own() -> None:
    assert [workers for workers in range(1, 9) if has_own_cores(workers, 4)] == [4, 8]


def test_the_core_with_the_fewest_workers_is_next() -> None:
    taken: list[int] = []
    for _ in range(6):
        taken.append(least_taken([2, 5, 7], taken))
    assert taken == [2, 5, 7, 2, 5, 7]
    taken.remove(5)
    assert least_taken([2, 5, 7], taken) == 5


def _kill_the_newest(process: Process) -> None:
    killed = max(process.children())
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: killed not in process.children(), what="its end")


def _evenly(process: Process) -> bool:
    cores = [_cores_of(pid) for pid in process.children()]
    return Counter(core for each in cores if len(each) == 1 for core in each) == dict.fromkeys(CORES, EACH)


def _cores_of(pid: int) -> set[int]:
    """What all of its threads may run on."""
    try:
        return set().union(
            *(os.sched_getaffinity(int(task.name)) for task in Path(f"/proc/{pid}/task").iterdir())
        )
    except (FileNotFoundError, ProcessLookupError):
        return set()
