"""Turns to write: one at a time among all processes, and none twice in a row while another waits."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from common.coordination.locks import KeyLocks
from common.database import StoreUnavailable, turns
from common.database.turns import HEAD, TURN, Turns
from tests.servers.process import eventually


def is_taken(path: Path, key: str) -> bool:
    locks = KeyLocks(path)
    try:
        return not locks.try_acquire(key)
    finally:
        locks.close()


def test_who_has_had_a_turn_comes_again_after_those_who_wait(tmp_path: Path) -> None:
    path = tmp_path / "turn"
    mine, theirs, order = Turns(path), Turns(path), []

    def wait_in_line() -> None:
        with theirs():
            order.append("theirs")

    with ThreadPoolExecutor(1) as pool:
        for _ in range(20):
            with mine():
                order.append("mine")
                waiting = pool.submit(wait_in_line)
                eventually(lambda: is_taken(path, HEAD), every=0.001, what="the other being in line")
            with mine():
                order.append("mine again")
            waiting.result(10)
    assert order == ["mine", "theirs", "mine again"] * 20


def test_the_turn_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "turn"
    child = os.fork()
    if child == 0:
        with Turns(path)():
            signal.pause()
    eventually(lambda: path.exists() and is_taken(path, TURN), what="the child having its turn")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with Turns(path)():
        assert is_taken(path, TURN)


@pytest.mark.parametrize("key", [HEAD, TURN])
def test_nobody_waits_for_ever(tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "STATEMENT_SECONDS", 0.05)
    path = tmp_path / "turn"
    stuck = KeyLocks(path)
    assert stuck.try_acquire(key)
    mine = Turns(path)
    with pytest.raises(StoreUnavailable), mine():
        raise AssertionError("two have the turn")
    stuck.close()
    with mine():
        assert is_taken(path, TURN)
        assert not is_taken(path, HEAD)


def test_threads_of_a_process_take_turns_too(tmp_path: Path) -> None:
    mine, inside = Turns(tmp_path / "turn"), threading.Lock()

    def write(_: int) -> bool:
        with mine():
            alone = inside.acquire(blocking=False)
            if alone:
                inside.release()
            return alone

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, range(200)))
