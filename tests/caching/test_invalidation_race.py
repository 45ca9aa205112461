"""No reader is given what was invalidated before he asked, whatever the order in which things happen."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.caching.cache import Caches
from tests.caching.conftest import Stage
from tests.counts import counts

_fresh_keys = count()

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.integers(0, 1)),
        st.tuples(st.just("finish"), st.integers(0, 5)),
        st.tuples(st.just("change"), st.integers(0, 1)),
        st.tuples(st.just("flush"), st.sampled_from(["all", "region", "pattern"])),
        st.tuples(st.just("read"), st.integers(0, 1)),
    ),
    min_size=3,
    max_size=14,
)


class _Load:
    """A read whose loader has the source's value already, and has not come back with it yet."""

    def __init__(self, caches: Caches, key: str, tag: str, value: int) -> None:
        self.read_source, self.go = threading.Event(), threading.Event()
        self.value = value

        def load() -> int:
            self.read_source.set()
            assert self.go.wait(20)
            return value

        self.thread = threading.Thread(target=lambda: caches.read("tickets", key, (tag,), load))
        self.thread.start()

    def finish(self) -> None:
        self.go.set()
        self.thread.join(20)


@contextmanager
def _loads() -> Iterator[list[_Load]]:
    loads: list[_Load] = []
    try:
        yield loads
    finally:
        for load in loads:
            load.finish()


@settings(
    max_examples=counts(25, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS)
def test_any_schedule_of_loads_changes_and_flushes(stage: Stage, acts: list[tuple[str, int | str]]):
    processes = [caches for caches, _ in stage.made] or [stage.caches(), stage.caches()]
    number = next(_fresh_keys)
    key, tag = f"one:{number}", f"ticket:{number}"
    source = 0
    with _loads() as loads:
        for act, choice in acts:
            if act == "begin" and not any(load.thread.is_alive() for load in loads):
                load = _Load(processes[int(choice)], key, tag, source)
                loads.append(load)
                while not load.read_source.wait(0.001) and load.thread.is_alive():
                    pass  # it was a hit: there is nothing to load
            elif act == "finish":
                for load in loads:
                    load.finish()
            elif act == "change":
                source += 1
                processes[int(choice)].invalidate([tag])
            elif act == "flush":
                source += 1
                whole = {"all": {}, "region": {"region": "tickets"}, "pattern": {"pattern": "*one:*"}}
                processes[0].flush(**whole[str(choice)])
            elif act == "read" and not any(load.thread.is_alive() for load in loads):
                value = processes[int(choice)].read("tickets", key, (tag,), partial(int, source))
                assert value == source
    for caches in processes:
        assert caches.read("tickets", key, (tag,), lambda: source) == source


@pytest.mark.parametrize("seed", range(2))
def test_readers_and_writers_at_full_speed_never_see_the_past(stage: Stage, seed: int):
    """Writers change and then invalidate; a reader notes what is committed, and must see at least that."""
    processes = [stage.caches(), stage.caches()]
    committed, lock, stop = [0] * 4, threading.Lock(), threading.Event()
    seen_past: list[tuple[int, int]] = []
    reads: list[int] = []

    def write(caches: Caches, chance: random.Random) -> None:
        while len(reads) < counts(100, 4000) or not any(reads):
            item = chance.randrange(4)
            with lock:
                source[item] += 1
                now = source[item]
            caches.invalidate([f"item:{item}"])
            with lock:
                committed[item] = max(committed[item], now)

    def read(caches: Caches, chance: random.Random) -> None:
        while not stop.is_set():
            item = chance.randrange(4)
            with lock:
                before = committed[item]

            def load(item: int = item) -> int:
                with lock:
                    value = source[item]
                stop.wait(chance.random() / 500)
                return value

            value = caches.read("tickets", f"{seed}:{item}", (f"item:{item}",), load)
            reads.append(value)
            if value < before:
                seen_past.append((value, before))

    source = [0] * 4
    chance = random.Random(seed)
    writers = [
        threading.Thread(target=write, args=(caches, random.Random(chance.random()))) for caches in processes
    ]
    readers = [
        threading.Thread(target=read, args=(caches, random.Random(chance.random())))
        for caches in processes
        for _ in range(3)
    ]
    for thread in [*readers, *writers]:
        thread.start()
    for thread in writers:
        thread.join(120)
    stop.set()
    for thread in readers:
        thread.join(30)
    assert seen_past == []
    assert max(reads) > 0
