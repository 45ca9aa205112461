"""What nodes are asked to do."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from common.coordination.embedded import EmbeddedCoordination
from common.coordination.locks import KeyLocks
from common.coordination.port import Coordination
from common.coordination.redis import RedisCoordination
from tests.coordination.nodes import Talk


def slot(coordination: Coordination) -> int:
    return coordination.slot


def rows(coordination: Coordination, table: str) -> dict[str, bytes]:
    return dict(coordination.rows(table))


def bump_often(coordination: Coordination, name: str, times: int) -> list[int]:
    return [coordination.bump(name) for _ in range(times)]


def bump_often_without_lock(coordination: Coordination, name: str, times: int) -> None:
    with mock.patch("common.coordination.locks._flock", return_value=True):
        bump_often(coordination, name, times)


def watch_epoch(coordination: Coordination, name: str) -> list[int]:
    """Every value that was seen, in order, until the test says stop."""
    seen = [coordination.epoch(name)]
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.is_set():
            value = coordination.epoch(name)
            if value != seen[-1]:
                seen.append(value)

    watcher = threading.Thread(target=watch)
    watcher.start()
    Talk.hear()
    stopped.set()
    watcher.join()
    return seen


def publish_until_told(coordination: Coordination, table: str, rounds: int) -> None:
    """Rows of one repeated byte, of all lengths, at least so many."""
    number = 0
    while number < rounds or not Talk.pipe.poll():
        coordination.publish(table, bytes([number % 251]) * (1 + number * 997 % 60_000))
        number += 1
    Talk.hear()


def read_different_rows(coordination: Coordination, table: str, wanted: int) -> int:
    """How many of the rows were torn, once so many different ones were seen."""
    seen: set[bytes] = set()
    while len(seen) < wanted:
        seen.update(coordination.rows(table).values())
    return sum(len(set(row)) != 1 for row in seen)


def lead(coordination: Coordination, key: str) -> bool:
    """Say who one is inside the flight, and stay in it until told."""
    with coordination.flight(key, 0) as leads:
        Talk.say(leads)
        Talk.hear()
    return leads


def fly(coordination: Coordination, key: str, wait_seconds: float) -> tuple[bool, float]:
    """Whether one led, and how long it took to enter (seconds)."""
    begun = time.monotonic()
    with coordination.flight(key, wait_seconds) as leads:
        return leads, time.monotonic() - begun


def fly_as_told(coordination: Coordination, key: str, wait_seconds: float) -> tuple[bool, float]:
    """`fly`, and say when it begins."""
    Talk.say("begins")
    return fly(coordination, key, wait_seconds)


def raise_in_flight(coordination: Coordination, key: str) -> str:
    try:
        with coordination.flight(key, 0):
            raise LookupError("in flight")
    except LookupError as error:
        return str(error)


def work_rounds(coordination: Coordination, folder: Path, threads: int, rounds: int) -> list[str]:
    """In each round every thread wants the round's result: one makes it, the others find it when they enter.

    Returns what went wrong. All begin a round together, when the last of all processes is there.
    """
    wrong: list[str] = []

    def run(number: int) -> None:
        result = folder / f"result-{number}"
        with coordination.flight(f"round-{number}", 30) as leads:
            if leads and not result.exists():
                (folder / f"work-{number}-{os.getpid()}-{threading.get_ident()}").touch()
                time.sleep(0.005)  # the work; others come meanwhile
                result.touch()
            elif not leads and not result.exists():
                wrong.append(f"round {number}: told not to work, but there is no result")

    for number in range(rounds):
        team = [threading.Thread(target=run, args=(number,)) for _ in range(threads)]
        Talk.say(number)
        Talk.hear()
        for thread in team:
            thread.start()
        for thread in team:
            thread.join()
    return wrong


def work_rounds_without_lock(
    coordination: Coordination, folder: Path, threads: int, rounds: int
) -> list[str]:
    with mock.patch.object(KeyLocks, "try_acquire", return_value=True):
        return work_rounds(coordination, folder, threads, rounds)


@contextmanager
def forked(work: Callable[[], object]) -> Iterator[str]:
    """Fork; the child does `work`, stays until the end of the block, and dies; its answer as text."""
    answer, told = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(answer[1], repr(work()).encode())
            os.close(told[1])
            os.read(told[0], 1)
        finally:
            os._exit(0)
    os.close(answer[1])
    try:
        yield os.read(answer[0], 1000).decode()
    finally:
        for end in (answer[0], *told):
            os.close(end)
        os.waitpid(pid, 0)


def slots_around_a_fork(coordination: Coordination) -> tuple[int, str, str, int]:
    """Own slot, the child's, who has rows then, and the own slot after the child's death."""
    own = coordination.slot
    coordination.publish("forks", b"parent")

    def child() -> int:
        coordination.publish("forks", b"child")
        return coordination.slot

    with forked(child) as childs_slot:
        both = repr(sorted(coordination.rows("forks").values()))
    return own, childs_slot, both, coordination.slot


def flight_around_a_fork(coordination: Coordination, key: str) -> str:
    """What a child that is forked in the middle of a flight finds, while the parent leads."""

    def child() -> bool:
        with coordination.flight(key, 0.05) as leads:
            return leads

    with coordination.flight(key, 0), forked(child) as answer:
        Talk.say(answer)
        Talk.hear()
    return answer


def every_verb(coordination: Coordination, rounds: int) -> tuple[float, str]:
    """The longest that a call took (seconds), and its name; nothing may raise."""
    worst = (0.0, "")

    def timed(name: str, call: Callable[[], Any]) -> None:
        nonlocal worst
        begun = time.monotonic()
        call()
        worst = max(worst, (time.monotonic() - begun, name))

    def flown() -> None:
        with coordination.flight("verbs", 0.1):
            pass

    for number in range(rounds):
        timed("epoch", lambda: coordination.epoch("verbs"))
        timed("bump", lambda: coordination.bump("verbs"))
        timed("share", lambda number=number: coordination.share("verbs", b"%d" % number))  # type: ignore[misc]
        timed("shared", lambda: coordination.shared("verbs"))
        timed("publish", lambda number=number: coordination.publish("verbs", b"%d" % number))  # type: ignore[misc]
        timed("rows", lambda: coordination.rows("verbs"))
        timed("flight", flown)
        timed("slot", lambda: coordination.slot)
    assert coordination.shared("verbs") == b"%d" % (rounds - 1)
    return worst


def is_connected(coordination: Coordination) -> bool:
    return isinstance(coordination, RedisCoordination) and coordination.is_connected


def bump_tags_often(coordination: EmbeddedCoordination, tags: list[str], times: int) -> None:
    for _ in range(times):
        coordination.bump_tags(tags)


def fill_the_disk(coordination: Coordination) -> None:
    """No file of this process can be written to from now on (EFBIG, as ENOSPC is on a full disk)."""
    del coordination
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def with_a_full_disk(coordination: Coordination, folder: str) -> str:
    """Open another coordination while the disk is full, use it, make room, and see it join."""
    fill_the_disk(coordination)
    hampered = EmbeddedCoordination(Path(folder))
    every_verb(hampered, 5)
    assert hampered.bump("x") == 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    healthy = EmbeddedCoordination(Path(folder))
    healthy.bump("y")
    healthy.share("seen", b"by all")
    deadline = time.monotonic() + 10
    while hampered.epoch("y") == 0 and time.monotonic() < deadline:
        hampered.publish("calls", b"row")
    assert hampered.epoch("y") == 1
    assert hampered.shared("seen") == b"by all"
    assert healthy.epoch("x") == 1  # what it bumped alone
    assert hampered.bump("x") == healthy.epoch("x") == 2
    assert sorted(healthy.rows("calls").values()) == [b"row"]
    return "served"


def leave_a_child_behind(coordination: Coordination, key: str) -> None:
    """Hold a slot, a row and a flight, fork a child that lives on, and wait to be killed."""
    coordination.publish("left", b"row")
    with coordination.flight(key, 0):
        child = os.fork()
        if child == 0:
            signal.pause()
            os._exit(0)
        Talk.say((coordination.slot, child))
        Talk.hear()
