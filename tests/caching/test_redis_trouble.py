"""Redis killed, frozen, full, read-only, emptied: each read answers, waits at most once, is not stale."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from redis.exceptions import OutOfMemoryError

from common.caching.cache import Caches
from tests.caching.conftest import DB, SERVICE, Stage
from tests.caching.source import Source, in_threads
from tests.servers.process import eventually
from tests.servers.redis import RedisServer

TAGS = ("ticket:1",)
MakeStage = Callable[..., Stage]
# One time-out is 0.2 s. A read that waited twice takes 0.4 s.
WAITED_TWICE_SECONDS = 0.4


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.monotonic()
    return work(), time.monotonic() - began


def server_of(stage: Stage) -> RedisServer:
    assert stage.server is not None
    return stage.server


def away_and_back(stage: Stage, trouble: str) -> Callable[[], None]:
    """Bring the trouble about; what is returned ends it."""
    server = server_of(stage)
    if trouble == "frozen":
        server.pause()
        return server.resume
    if trouble == "killed":
        server.kill()

        def start_again() -> None:
            server.start()

        return start_again
    with server.client(DB) as client:
        client.replicaof("127.0.0.1", 1)

    def master_again() -> None:
        with server.client(DB) as client:
            client.replicaof("NO", "ONE")

    return master_again


def serves_kept(caches: Caches, key: str = "probe") -> Callable[[], bool]:
    """Whether what is read once is kept again."""

    def kept() -> bool:
        source = Source()
        for _ in range(2):
            caches.read("tickets", key, (), source.load)
        return source.loads < 2

    return kept


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("trouble", ["frozen", "killed", "read-only"])
@pytest.mark.parametrize("started", [False, True])
def test_reads_answer_without_redis_and_are_not_stale_when_it_is_back(
    redis_stage: MakeStage, trouble: str, started: bool, durable: bool
):
    stage = redis_stage(durable=durable)
    one, other = stage.caches(started=started), stage.caches(started=started)
    source = Source()
    for caches in (one, other):
        assert caches.read("tickets", "1", TAGS, source.load) == "first"
    back = away_and_back(stage, trouble)
    source.value = "second"
    _, seconds = timed(lambda: one.invalidate(TAGS))
    assert seconds < WAITED_TWICE_SECONDS
    for caches in (one, other, one, other):
        value, seconds = timed(partial(caches.read, "tickets", "1", TAGS, source.load))
        assert value == "second"
        assert seconds < WAITED_TWICE_SECONDS
    back()
    for _ in range(20):
        assert one.read("tickets", "1", TAGS, source.load) == "second"
        assert other.read("tickets", "1", TAGS, source.load) == "second"
    for caches in (one, other):
        eventually(serves_kept(caches), what="the cache is used again")
        assert caches.read("tickets", "1", TAGS, source.load) == "second"


def test_only_the_first_callers_wait_for_a_frozen_redis(redis_stage: MakeStage):
    stage = redis_stage()
    caches, source = stage.caches(started=True), Source()
    caches.read("tickets", "1", TAGS, source.load)
    server_of(stage).pause()
    waited = in_threads(8, lambda: timed(lambda: caches.read("tickets", "1", TAGS, source.load))[1])
    assert max(waited) < WAITED_TWICE_SECONDS
    # The source is asked; nobody else waits for Redis, however long it hangs.
    for _ in range(30):
        assert timed(lambda: caches.read("tickets", "1", TAGS, source.load))[1] < 0.15


def test_without_redis_a_key_is_loaded_by_one_at_a_time(redis_stage: MakeStage):
    stage = redis_stage()
    caches, source = stage.caches(started=True), Source()
    server_of(stage).kill()
    caches.read("tickets", "other", TAGS, source.load)
    source.loads = 0

    def slow() -> Any:
        time.sleep(0.1)
        return source.load()

    assert in_threads(16, lambda: caches.read("tickets", "1", TAGS, slow)) == ["first"] * 16
    # Those who came while the first load was under way share one that began after they came.
    assert source.loads <= 3


@pytest.mark.parametrize("flush", [{}, {"region": "tickets"}, {"pattern": "tickets:1*"}])
def test_a_flush_that_redis_did_not_take_is_made_up_for(redis_stage: MakeStage, flush: dict[str, str]):
    stage = redis_stage()
    caches, source = stage.caches(), Source()
    caches.read("tickets", "1", TAGS, source.load)
    server_of(stage).pause()
    source.value = "second"
    caches.flush(**flush)
    server_of(stage).resume()
    assert caches.read("tickets", "1", TAGS, source.load) == "second"
    eventually(serves_kept(caches), what="the cache is used again")
    assert caches.read("tickets", "1", TAGS, source.load) == "second"


def test_a_full_redis_takes_invalidations_and_gives_what_it_has(redis_stage: MakeStage):
    stage = redis_stage(maxmemory="3mb")
    one, other, source = stage.caches(), stage.caches(), Source()
    assert one.read("tickets", "1", TAGS, source.load) == "first"
    with server_of(stage).client() as client:
        with pytest.raises(OutOfMemoryError):
            for number in range(10_000):
                client.set(f"ballast:{number}", b"x" * 1000)
        assert other.read("tickets", "1", TAGS, source.load) == "first"
        assert source.loads == 1
        for key in ("2", "3"):
            assert other.read("tickets", key, TAGS, lambda: "x" * 10_000) == "x" * 10_000
        source.value = "second"
        one.invalidate(TAGS)
        assert other.read("tickets", "1", TAGS, source.load) == "second"
        assert one.backend.usable
        assert other.backend.usable
        source.value = "third"
        one.flush()
        assert other.read("tickets", "1", TAGS, source.load) == "third"
        client.unlink(*client.scan_iter("ballast:*", count=5000))
    assert serves_kept(other)()


def test_an_emptied_redis_is_filled_again_and_nothing_old_returns(redis_stage: MakeStage):
    stage = redis_stage()
    one, other, source = stage.caches(), stage.caches(), Source()
    with server_of(stage).client(DB) as client:
        one.read("tickets", "1", TAGS, source.load)
        kept = {name: client.get(name) for name in client.scan_iter(f"{SERVICE}:cache:value:*")}
        assert len(kept) == 1
        client.flushall()
        source.value = "second"
        one.invalidate(TAGS)
        # Even were the old value to come back: its generations do not.
        client.mset(kept)
    for caches in (one, other):
        assert caches.read("tickets", "1", TAGS, source.load) == "second"
    assert source.loads == 2


def test_an_evicted_generation_ends_what_was_kept_with_it(redis_stage: MakeStage):
    stage = redis_stage()
    caches, source = stage.caches(), Source()
    caches.read("tickets", "1", TAGS, source.load)
    source.value = "second"
    caches.invalidate(TAGS)
    caches.read("tickets", "2", TAGS, lambda: "begins the tag anew")
    with server_of(stage).client(DB) as client:
        client.delete(f"{SERVICE}:cache:tag:{TAGS[0]}")
    caches.read("tickets", "3", TAGS, lambda: "and once more")
    assert caches.read("tickets", "1", TAGS, source.load) == "second"


def test_what_redis_read_from_its_disk_at_a_restart_is_not_served(redis_stage: MakeStage):
    """A snapshot may lack the last invalidations: here it does."""
    stage = redis_stage()
    caches, source = stage.caches(), Source()
    with server_of(stage).client(DB) as client:
        caches.read("tickets", "1", TAGS, source.load)
        client.save()
    source.value = "second"
    caches.invalidate(TAGS)
    server_of(stage).restart()
    with server_of(stage).client(DB) as client:
        assert list(client.scan_iter(f"{SERVICE}:cache:value:*"))
    for each in (caches, stage.caches()):
        assert each.read("tickets", "1", TAGS, source.load) == "second"


@pytest.mark.parametrize("flush", [{}, {"region": "tickets"}, {"pattern": "tickets:*"}, {"pattern": "*1*"}])
def test_a_flush_leaves_the_keys_of_others_alone(redis_stage: MakeStage, flush: dict[str, str]):
    stage = redis_stage()
    caches = stage.caches()
    foreign = ["payment:1", "tickets:1", f"{SERVICE}:coord:1", f"{SERVICE}2:cache:value:tickets:1", "*1*"]
    with server_of(stage).client(DB) as client:
        client.mset(dict.fromkeys(foreign, b"theirs"))
        for number in range(1200):
            caches.read("tickets", f"1:{number}", (), lambda: 1)
        client.config_resetstat()
        caches.flush(**flush)
        assert client.mget(foreign) == [b"theirs"] * len(foreign)
        assert list(client.scan_iter(f"{SERVICE}:cache:value:*")) == []
        used = {name.removeprefix("cmdstat_") for name in client.info("commandstats")}
    assert used & {"keys", "flushdb", "flushall"} == set()
    assert {"scan", "unlink"} <= used


def test_a_hit_is_one_round_trip(redis_stage: MakeStage):
    stage = redis_stage()
    caches, source = stage.caches(), Source()
    caches.read("tickets", "1", ("a", "b", "c"), source.load)
    with server_of(stage).client(DB) as client:
        client.config_resetstat()
        for _ in range(10):
            caches.read("tickets", "1", ("a", "b", "c"), source.load)
        calls = {name: facts["calls"] for name, facts in client.info("commandstats").items()}
    assert calls.pop("cmdstat_mget") == 10
    assert set(calls) <= {"cmdstat_config|resetstat", "cmdstat_info"}


class _Refusing:
    """A guard as an open breaker is."""

    def __init__(self) -> None:
        self.is_open = False
        self.calls = 0

    def call(self, function: Callable[[], Any], /) -> Any:
        if self.is_open:
            raise RuntimeError("open")
        self.calls += 1
        return function()


def test_where_the_guard_refuses_the_source_answers(redis_stage: MakeStage):
    stage, guard = redis_stage(), _Refusing()
    caches, source = stage.caches(guard=guard), Source()
    caches.read("tickets", "1", TAGS, source.load)
    assert guard.calls > 0
    guard.is_open = True
    source.value = "second"
    assert caches.read("tickets", "1", TAGS, source.load) == "second"
    # What was committed is told to the others all the same.
    caches.invalidate(TAGS)
    assert stage.caches().read("tickets", "1", TAGS, source.load) == "second"
    guard.is_open = False
    assert caches.read("tickets", "1", TAGS, source.load) == "second"


def test_keys_have_the_services_prefix_and_an_end(redis_stage: MakeStage):
    stage = redis_stage()
    caches = stage.caches()
    caches.read("tickets", "1", TAGS, lambda: 1)
    with server_of(stage).client(DB) as client:
        names = list(client.scan_iter())
        assert names
        assert all(name.startswith(f"{SERVICE}:cache:".encode()) for name in names)
        (value,) = [name for name in names if b":value:" in name]
        assert 290 < client.ttl(value) <= 301
        (tag,) = [name for name in names if b":tag:" in name]
        assert client.ttl(tag) > 301
