"""Breakers over real processes, with real time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.clock import system_clock
from tests.forking import context
from tests.resilience.service_process import run
from tests.servers.process import eventually

HANG = 20.0


class Worker:
    """One process of the service."""

    def __init__(self, folder: Path) -> None:
        self._pipe, other = context.Pipe()
        self.process = context.Process(target=run, args=(folder, other), daemon=True)
        self.process.start()
        other.close()

    def ready(self) -> None:
        """Wait until it has started."""
        assert self._answer() == "ready"

    def ask(self, *command: Any) -> Any:
        """Tell it something and wait for its answer."""
        self._pipe.send(command)
        return self._answer()

    def kill(self) -> None:
        """As kill -9."""
        self.process.kill()
        self.process.join(HANG)

    def end(self) -> None:
        """Let it end in order."""
        if self.process.is_alive():
            assert self.ask("end") == "ended"
            self.process.join(HANG)
            assert self.process.exitcode == 0
        self._pipe.close()
        self.process.close()

    def _answer(self) -> Any:
        assert self._pipe.poll(HANG), "the process does not answer"
        return self._pipe.recv()


Service = Callable[[int], list[Worker]]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    workers: list[Worker] = []

    def start(count: int) -> list[Worker]:
        made = [Worker(tmp_path / "shared") for _ in range(count)]
        workers.extend(made)
        for worker in made:
            worker.ready()
        return made

    yield start
    for worker in workers:
        worker.end()


def in_time(condition: Callable[[], bool], what: str) -> None:
    """The condition comes true; how soon is measured elsewhere, on a machine that is not busy."""
    eventually(condition, seconds=HANG, what=what)


def all_states(workers: list[Worker], name: str, state: str) -> Callable[[], bool]:
    return lambda: all(worker.ask("state", name) == state for worker in workers)


def test_two_that_opened_open_the_third_and_a_reset_closes_all(service: Service):
    workers = service(3)
    workers[2].ask("call", "payment-api", True, 10)
    for worker in workers[:2]:
        worker.ask("call", "payment-api", False, 10)
    in_time(all_states(workers, "payment-api", "open"), "the quorum")
    workers[1].ask("reset", "payment-api")
    assert workers[1].ask("state", "payment-api") == "closed"
    in_time(all_states(workers, "payment-api", "closed"), "the reset")
    # Nobody's old row opens it again.
    ends = time.monotonic() + 1.5
    while time.monotonic() < ends:
        assert all_states(workers, "payment-api", "closed")()


def test_one_bad_process_of_four_opens_nobody_else_and_all_give_one_answer(service: Service):
    workers = service(4)
    for worker in workers[1:]:
        worker.ask("call", "payment-api", True, 10)
    in_time(
        lambda: workers[0].ask("snapshot", False)["circuitBreakers"]["payment-api"]["requestCount"] == 30,
        "the rows of the others",
    )
    workers[0].ask("call", "payment-api", False, 10)
    in_time(lambda: all(worker.ask("open") == ["payment-api"] for worker in workers), "one answer")
    ends = time.monotonic() + 1.0
    while time.monotonic() < ends:
        assert [worker.ask("state", "payment-api") for worker in workers] == ["open"] + ["closed"] * 3
    answers = [worker.ask("snapshot", False)["circuitBreakers"] for worker in workers]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["payment-api"]["requestCount"] == 40


def test_a_mode_reaches_all_and_ends_by_itself_on_all(service: Service):
    workers = service(3)
    until = system_clock() + timedelta(seconds=3)
    workers[0].ask("mode", "payment-api", "forced_open", "drill", until)
    in_time(all_states(workers, "payment-api", "open"), "the mode")
    assert system_clock() < until
    eventually(lambda: all(worker.ask("mode-of", "payment-api") == "automatic" for worker in workers))
    assert system_clock() >= until
    assert all(worker.ask("call", "payment-api", True, 1) == 1 for worker in workers)


def test_a_killed_process_that_had_opened_has_no_vote_and_no_row(service: Service):
    workers = service(2)
    for worker in workers:
        worker.ask("call", "payment-api", True, 20)
    in_time(
        lambda: all(
            worker.ask("snapshot", False)["circuitBreakers"]["payment-api"]["requestCount"] == 40
            for worker in workers
        ),
        "the rows",
    )
    workers[0].ask("call", "payment-api", False, 10)
    in_time(lambda: bool(workers[1].ask("open") == ["payment-api"]), "its row")
    workers[0].kill()
    eventually(lambda: bool(workers[1].ask("open") == []), seconds=HANG, what="its row to go")
    assert workers[1].ask("state", "payment-api") == "closed"
    (successor,) = service(1)
    assert successor.ask("state", "payment-api") == "closed"
    in_time(
        lambda: len(workers[1].ask("snapshot", True)["circuitBreakers"]["database"]["processes"]) == 2,
        "the successor's row",
    )


def test_all_recover_by_themselves_when_the_dependency_is_back(service: Service):
    workers = service(3)
    for worker in workers:
        worker.ask("call", "database", False, 10)
    in_time(all_states(workers, "database", "open"), "all to open")

    def recovered() -> bool:
        for worker in workers:
            worker.ask("call", "database", True, 1)
        return all_states(workers, "database", "closed")()

    eventually(recovered, seconds=HANG, what="the recovery")
    ends = time.monotonic() + 1.5
    while time.monotonic() < ends:
        assert all_states(workers, "database", "closed")()
