"""Reading through a cache, the same on both backends."""

from __future__ import annotations

import pickle
import sqlite3
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from flask_caching.backends.base import BaseCache

from common.caching.entries import ABSENT, Loaded
from common.caching.front import front
from common.caching.regions import Region
from tests.caching.conftest import DB, REGIONS, SERVICE, TICKETS, Hand, Stage
from tests.caching.source import Source, in_threads
from tests.servers.process import eventually

TAGS = ("ticket:1",)


def test_a_second_read_is_answered_without_the_source(stage: Stage):
    caches, source = stage.caches(), Source({"a": [1, 2]})
    assert caches.read("tickets", "1", TAGS, source.load) == {"a": [1, 2]}
    assert caches.read("tickets", "1", TAGS, source.load) == {"a": [1, 2]}
    assert stage.caches().read("tickets", "1", TAGS, source.load) == {"a": [1, 2]}
    assert source.loads == 1


def test_the_first_read_has_the_form_of_the_later_ones_and_nobody_shares_it(stage: Stage):
    caches, identity = stage.caches(), uuid4()
    first = caches.read("tickets", "1", TAGS, lambda: {"id": identity, "pair": (1, 2)})
    assert first == {"id": str(identity), "pair": [1, 2]}
    first["pair"].append(3)
    assert caches.read("tickets", "1", TAGS, Source().load)["pair"] == [1, 2]


@pytest.mark.parametrize("value", [b"\x80\x04bytes", b"", "text", 0, None, [], {"a": None}])
def test_json_values_and_bytes_come_back_as_they_were(stage: Stage, value: object):
    caches, source = stage.caches(), Source(value)
    assert caches.read("tickets", "1", TAGS, source.load) == value
    assert caches.read("tickets", "1", TAGS, source.load) == value
    assert source.loads == 1


def test_what_is_neither_json_nor_bytes_is_refused(stage: Stage):
    with pytest.raises(TypeError):
        stage.caches().read("tickets", "1", TAGS, lambda: {1, 2})


def test_an_invalidated_tag_is_loaded_anew_in_every_process(stage: Stage):
    one, other, source = stage.caches(), stage.caches(), Source()
    for caches in (one, other):
        assert caches.read("tickets", "1", ("a", "b"), source.load) == "first"
    source.value = "second"
    one.invalidate(["b"])
    assert other.read("tickets", "1", ("a", "b"), source.load) == "second"
    assert one.read("tickets", "1", ("a", "b"), source.load) == "second"
    one.invalidate(["c"])
    assert other.read("tickets", "1", ("a", "b"), source.load) == "second"
    assert source.loads == 2


def test_a_load_that_began_before_an_invalidation_is_not_kept(stage: Stage):
    one, other, source = stage.caches(), stage.caches(), Source()
    source.go.clear()
    reader = threading.Thread(target=lambda: one.read("tickets", "1", TAGS, source.load))
    reader.start()
    assert source.entered.wait(10)
    source.value = "second"
    other.invalidate(TAGS)
    source.go.set()
    reader.join(10)
    assert one.read("tickets", "1", TAGS, source.load) == "second"
    assert other.read("tickets", "1", TAGS, source.load) == "second"


@pytest.mark.parametrize(
    "flush", [{}, {"region": "tickets"}, {"pattern": "tickets:*"}, {"pattern": "tickets:l*t:?"}]
)
def test_a_load_that_began_before_a_flush_is_not_kept(stage: Stage, flush: dict[str, str]):
    one, other, source = stage.caches(), stage.caches(), Source()
    source.go.clear()
    reader = threading.Thread(target=lambda: one.read("tickets", "list:1", TAGS, source.load))
    reader.start()
    assert source.entered.wait(10)
    source.value = "second"
    other.flush(**flush)
    source.go.set()
    reader.join(10)
    assert one.read("tickets", "list:1", TAGS, source.load) == "second"


@pytest.mark.parametrize(
    "flush, ended",
    [
        ({}, {"tickets:list:1", "tickets:one:1", "slots:1"}),
        ({"pattern": "*"}, {"tickets:list:1", "tickets:one:1", "slots:1"}),
        ({"region": "tickets"}, {"tickets:list:1", "tickets:one:1"}),
        ({"pattern": "tickets:*"}, {"tickets:list:1", "tickets:one:1"}),
        ({"pattern": "tickets:list:*"}, {"tickets:list:1"}),
        ({"pattern": "*:1"}, {"tickets:list:1", "tickets:one:1", "slots:1"}),
        ({"pattern": "slots:?"}, {"slots:1"}),
        ({"pattern": "tickets:[lo]*"}, set()),
        ({"pattern": "vouchers:*"}, set()),
    ],
)
def test_a_flush_ends_what_it_names_in_every_process(stage: Stage, flush: dict[str, str], ended: set[str]):
    one, other = stage.caches(), stage.caches()
    names = ["tickets:list:1", "tickets:one:1", "slots:1"]
    places = [name.partition(":")[::2] for name in names]
    for caches in (one, other):
        for region, key in places:
            assert caches.read(region, key, (), lambda: "old") == "old"
    one.flush(**flush)
    for caches in (other, one):
        found = {f"{region}:{key}": caches.read(region, key, (), lambda: "new") for region, key in places}
        assert {name for name, value in found.items() if value == "new"} == ended


def test_a_flush_of_nothing_known_is_an_error(stage: Stage):
    caches = stage.caches()
    with pytest.raises(KeyError):
        caches.flush(region="nothing")
    with pytest.raises(ValueError, match="not both"):
        caches.flush(region="tickets", pattern="*")
    with pytest.raises(KeyError):
        caches.read("nothing", "1", (), lambda: 1)


def test_one_of_many_threads_loads_a_cold_key(stage: Stage):
    caches, source = stage.caches(), Source()
    source.go.clear()

    def open_the_source() -> None:
        assert source.entered.wait(10)
        source.go.set()

    opener = threading.Thread(target=open_the_source)
    opener.start()
    assert in_threads(64, lambda: caches.read("tickets", "1", TAGS, source.load)) == ["first"] * 64
    opener.join(10)
    assert source.loads == 1


def test_the_old_value_is_served_while_one_caller_reloads(stage: Stage):
    clock = Hand()
    one, other, source = stage.caches(clock=clock), stage.caches(clock=clock), Source()
    one.read("tickets", "1", TAGS, source.load)
    clock.turn(TICKETS.ttl_seconds * 1.1 + 1)
    source.value = "second"
    source.go.clear()
    source.entered.clear()
    found: list[object] = []
    reader = threading.Thread(target=lambda: found.append(one.read("tickets", "1", TAGS, source.load)))
    reader.start()
    assert source.entered.wait(10)
    assert one.read("tickets", "1", TAGS, source.load) == "first"
    assert other.read("tickets", "1", TAGS, source.load) == "first"
    source.go.set()
    reader.join(10)
    assert found == ["second"]
    assert other.read("tickets", "1", TAGS, source.load) == "second"
    assert source.loads == 2


def test_the_old_value_is_served_when_the_source_fails_until_the_hard_ttl(stage: Stage):
    clock = Hand()
    caches, source = stage.caches(clock=clock), Source()
    caches.read("tickets", "1", TAGS, source.load)
    source.error = ConnectionError("gone")
    clock.turn(TICKETS.stale_seconds - 1)
    assert caches.read("tickets", "1", TAGS, source.load) == "first"
    clock.turn(2)
    with pytest.raises(ConnectionError):
        caches.read("tickets", "1", TAGS, source.load)


def test_an_invalidated_value_is_not_served_even_if_the_source_fails(stage: Stage):
    caches, source = stage.caches(), Source()
    caches.read("tickets", "1", TAGS, source.load)
    caches.invalidate(TAGS)
    source.error = ConnectionError("gone")
    with pytest.raises(ConnectionError):
        caches.read("tickets", "1", TAGS, source.load)


def test_an_error_is_never_kept(stage: Stage):
    caches, source = stage.caches(), Source()
    source.error = ConnectionError("gone")
    for _ in range(2):
        with pytest.raises(ConnectionError):
            caches.read("tickets", "1", TAGS, source.load)
    source.error = None
    assert caches.read("tickets", "1", TAGS, source.load) == "first"
    assert source.loads == 3


def test_what_is_absent_is_kept_for_a_short_while_only(stage: Stage):
    clock = Hand()
    caches, source = stage.caches(clock=clock), Source(ABSENT)
    for _ in range(3):
        assert caches.read("tickets", "1", TAGS, source.load) is ABSENT
    assert source.loads == 1
    clock.turn(TICKETS.negative_seconds * 1.1 + 0.1)
    source.error = ConnectionError("gone")
    with pytest.raises(ConnectionError):
        caches.read("tickets", "1", TAGS, source.load)


def test_an_entry_ends_when_the_answer_changes_by_time(stage: Stage):
    clock = Hand()
    caches, source = stage.caches(clock=clock), Source()
    source.value = Loaded(value="open", fresh_until=clock.now + timedelta(seconds=10))
    assert caches.read("tickets", "1", TAGS, source.load) == "open"
    clock.turn(9.9)
    assert caches.read("tickets", "1", TAGS, source.load) == "open"
    clock.turn(0.1)
    source.error = ConnectionError("gone")
    with pytest.raises(ConnectionError):
        caches.read("tickets", "1", TAGS, source.load)
    assert source.loads == 2


def test_the_instant_at_which_the_answer_changes_never_lengthens_its_life(stage: Stage):
    clock = Hand()
    caches, source = stage.caches(clock=clock), Source()
    source.value = Loaded(value="open", fresh_until=clock.now + timedelta(days=10))
    caches.read("tickets", "1", TAGS, source.load)
    clock.turn(TICKETS.ttl_seconds * 1.1 + 1)
    caches.read("tickets", "1", TAGS, source.load)
    assert source.loads == 2


def test_what_is_not_to_be_kept_is_not(stage: Stage):
    caches, source = stage.caches(), Source(Loaded(value={1, 2}, keep=False))
    for _ in range(2):
        assert caches.read("tickets", "1", TAGS, source.load) == {1, 2}
    assert source.loads == 2


@pytest.mark.parametrize("chance, ttl", [(0.0, 90), (0.5, 100), (1.0, 110)])
def test_the_ttl_varies_by_a_tenth(chance: float, ttl: float):
    life = TICKETS.life(1000, chance=lambda: chance)
    assert life.fresh_until == pytest.approx(1000 + ttl)
    assert life.dead_at == 1000 + TICKETS.stale_seconds
    drawn = {TICKETS.life(0).fresh_until for _ in range(200)}
    assert len(drawn) > 100
    assert all(90 <= each <= 110 for each in drawn)


@pytest.mark.parametrize("ttl, stale", [(0, 10), (10, 9), (-1, 5)])
def test_a_region_that_cannot_be_is_refused(ttl: float, stale: float):
    with pytest.raises(ValueError, match="ttl_seconds"):
        Region(name="x", ttl_seconds=ttl, stale_seconds=stale)


def test_statistics_are_those_of_all_processes(stage: Stage):
    told: list[tuple[str, str]] = []
    clock = Hand()
    one = stage.caches(clock=clock, record=lambda region, result: told.append((region, result)))
    other = stage.caches(clock=clock)
    # Two coordinations of one process have one slot each, as two processes have.
    source = Source()
    for caches in (one, other, one):
        caches.read("tickets", "1", TAGS, source.load)
    clock.turn(TICKETS.ttl_seconds * 1.1 + 1)
    source.error = ConnectionError("gone")
    other.read("tickets", "1", TAGS, source.load)
    other.stats()  # publishes
    document = one.stats()
    assert document["timestamp"] == "2026-05-01T12:01:51.000Z"
    assert document["cache"] == {
        "connected": True,
        "backend": stage.kind,
        "totalKeys": 1,
        "hitRate": 0.75,
        "regions": {
            "tickets": {
                "hits": 2, "misses": 1, "stale": 1, "loads": 2, "errors": 1, "hitRate": 0.75, "entries": 1,
                "ttlSeconds": 100,
            },
            "slots": {
                "hits": 0, "misses": 0, "stale": 0, "loads": 0, "errors": 0, "hitRate": 0.0, "entries": 0,
                "ttlSeconds": 100,
            },
        },
    }  # fmt: skip
    assert told == [("tickets", "load"), ("tickets", "miss"), ("tickets", "hit")]


def test_statistics_reach_the_others_without_being_asked_for(stage: Stage):
    one, other = stage.caches(started=True), stage.caches()
    one.read("tickets", "1", TAGS, lambda: 1)
    eventually(lambda: other.stats()["cache"]["regions"]["tickets"]["loads"] == 1, what="the row is there")


def test_a_planted_pickle_is_never_loaded(stage: Stage):
    caches = stage.caches()
    caches.read("tickets", "1", TAGS, lambda: "good")
    bomb = pickle.dumps(_Bomb())
    planted = _plant(stage, bomb)
    assert planted >= 1
    assert stage.caches().read("tickets", "1", TAGS, lambda: "loaded") == "loaded"
    app = Flask("plain")
    plain = front(app, carrying(stage))
    assert plain.get("x") is None
    assert not _Bomb.went_off


def carrying(stage: Stage) -> BaseCache:
    backend = stage.caches().backend
    assert isinstance(backend, BaseCache)
    return backend


class _Bomb:
    went_off = False

    def __reduce__(self):
        return _explode, ()


def _explode() -> None:
    _Bomb.went_off = True


def _plant(stage: Stage, payload: bytes) -> int:
    """Put `payload` in the place of every cached value, with a good head before it too."""
    if stage.server is not None:
        with stage.server.client(DB) as client:
            names = list(client.scan_iter(f"{SERVICE}:cache:value:*"))
            for name in [*names, f"{SERVICE}:cache:value:plain:x".encode()]:
                kept = client.get(name)
                client.set(name, kept.replace(b'J"good"', b"!" + payload) if kept else b"!" + payload)
        return len(names)
    (path,) = (stage.folder / "cache").glob("*.sqlite3")
    connection = sqlite3.connect(path)
    with connection:
        rows = connection.execute("SELECT key, value FROM entry").fetchall()
        for key, value in rows:
            connection.execute(
                "UPDATE entry SET value = ? WHERE key = ?", (value.replace(b'J"good"', b"!" + payload), key)
            )
        connection.execute("INSERT INTO entry VALUES ('plain:x', 'plain', 9e9, ?)", (b"!" + payload,))
    connection.close()
    return len(rows)


def test_flask_caching_carries_plain_values_through_these_backends(stage: Stage):
    app = Flask("plain")
    plain = front(app, carrying(stage))
    runs: list[int] = []

    @plain.memoize(60)
    def doubled(number: int) -> dict[str, int]:
        runs.append(number)
        return {"value": 2 * number}

    with app.app_context():
        assert [doubled(2), doubled(2)] == [{"value": 4}] * 2
        assert runs == [2]
        plain.set("x", {"a": b"".decode()}, timeout=0)
        plain.set_many({"y": b"bytes", "z": 3})
        assert plain.get_many("x", "y", "z", "none") == [{"a": ""}, b"bytes", 3, None]
        assert plain.add("x", 2) is False
        assert plain.has("y")
        assert plain.delete_many("y") == ["y"]
        assert not plain.has("y")
        with pytest.raises(TypeError):
            plain.set("x", object())
        plain.clear()
        assert plain.get("x") is None


def test_every_region_of_these_tests_is_known(stage: Stage):
    assert list(stage.caches().regions) == [region.name for region in REGIONS]
