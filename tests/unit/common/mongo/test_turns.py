"""Turns within a process: one at a time for a key, and who came first goes first."""

from __future__ import annotations

import threading
import time

import pytest

from common.database import StoreUnavailable
from common.mongo.turns import Turns
from tests.servers.process import eventually


def waiting(turns: Turns, key: str) -> int:
    """How many wait for the key."""
    return len(turns._queues[key])


def test_who_came_first_goes_first() -> None:
    turns, order = Turns(), list[int]()

    def take(number: int) -> None:
        with turns.taken(["a"], 60):
            order.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    with turns.taken(["a"], 60):
        for number, thread in enumerate(threads):
            thread.start()
            eventually(lambda number=number: waiting(turns, "a") == number + 1, seconds=60)  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_nobody_has_a_key_at_the_same_time_and_nothing_is_kept_of_it() -> None:
    turns, within, most = Turns(), 0, 0

    def work(number: int) -> None:
        nonlocal within, most
        for _ in range(50):
            with turns.taken(["a", f"own {number}"] if number % 2 else ["a"], 60):
                within += 1
                most = max(most, within)
                time.sleep(0)
                within -= 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert turns._queues == {}


def test_keys_are_taken_in_one_order_so_that_two_never_wait_in_a_circle() -> None:
    turns = Turns()

    def work(keys: list[str]) -> None:
        for _ in range(100):
            with turns.taken(keys, 60):
                time.sleep(0)

    threads = [threading.Thread(target=work, args=(keys,)) for keys in (["a", "b"], ["b", "a"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def test_who_gave_up_is_not_waited_for() -> None:
    turns = Turns()
    with turns.taken(["a"], 60):
        with pytest.raises(StoreUnavailable, match="turn"), turns.taken(["b", "a"], 0):
            pass
        assert waiting(turns, "a") == 0
        with turns.taken(["b"], 0):
            pass
    with turns.taken(["a"], 0):
        pass
