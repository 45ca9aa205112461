"""Redis frozen, killed, full, read-only or emptied: nobody fails, nobody waits long, and it recovers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from common.coordination.embedded import EmbeddedCoordination
from common.coordination.redis import RedisCoordination
from tests.coordination import deeds
from tests.coordination.conftest import World
from tests.coordination.nodes import Node
from tests.servers.process import eventually
from tests.servers.redis import RedisServer

PREFIX = "ticketing:coord:"
LONGEST_SECONDS = 0.5


def connected(node: Node) -> bool:
    return bool(node.run(deeds.is_connected))


def all_agree_again(world: World, first: Node, second: Node) -> None:
    """What one machine bumps, shares, publishes and leads now reaches the other."""
    eventually(lambda: connected(first) and connected(second), seconds=5, what="the connection")
    epoch = first.call("bump", "after")
    first.call("share", "after", b"%d" % epoch)
    first.call("publish", "after", b"%d" % epoch)
    eventually(lambda: second.call("epoch", "after") == epoch, seconds=2, what="the epoch")
    eventually(lambda: second.call("shared", "after") == b"%d" % epoch, seconds=2, what="the document")
    eventually(lambda: b"%d" % epoch in second.run(deeds.rows, "after").values(), seconds=2, what="the row")
    first.begin(deeds.lead, "after")
    assert first.hear() is True
    assert second.run(deeds.fly, "after", 0.1)[0] is False
    first.say("leave")
    assert first.result() is True


def full(admin: Redis, *, on: bool) -> None:
    admin.config_set("maxmemory", "1" if on else "0")


def read_only(admin: Redis, *, on: bool) -> None:
    admin.execute_command("REPLICAOF", *(("127.0.0.1", "1") if on else ("NO", "ONE")))


def of_wrong_types(admin: Redis, *, on: bool) -> None:
    for key in admin.keys(f"{PREFIX}*"):
        admin.delete(key)
        if on:
            admin.lpush(key, "not what it was")


@contextmanager
def away(server: RedisServer, fault: str) -> Iterator[None]:
    """Redis is useless inside, and as before afterwards."""
    if fault == "frozen":
        server.pause()
        yield
        server.resume()
    elif fault == "killed":
        server.kill()
        yield
        server.start()
    else:
        change = {"full": full, "read-only": read_only, "of wrong types": of_wrong_types}[fault]
        with server.client(2) as admin:
            change(admin, on=True)
            yield
            change(admin, on=False)


@pytest.mark.parametrize("fault", ["frozen", "killed", "full", "read-only", "of wrong types"])
def test_without_redis_no_verb_raises_or_waits_and_all_comes_back_by_itself(
    machines: World, fault: str
) -> None:
    first, second = machines.nodes(2)
    all_agree_again(machines, first, second)
    with away(machines.redis, fault):
        for node in (first, second):
            seconds, verb = node.run(deeds.every_verb, 20)
            assert seconds < LONGEST_SECONDS, verb
            eventually(lambda node=node: not connected(node), seconds=5)  # type: ignore[misc]
        before = first.call("epoch", "after")
        epoch = first.call("bump", "away")
        first.call("share", "away", b"kept")
        assert first.call("epoch", "away") == epoch
        assert first.call("shared", "away") == b"kept"
    eventually(lambda: second.call("epoch", "away") >= epoch, seconds=5, what="the bump of meanwhile")
    eventually(lambda: second.call("shared", "away") == b"kept", seconds=5, what="the document of meanwhile")
    assert first.call("epoch", "after") >= before
    all_agree_again(machines, first, second)


def test_while_redis_is_frozen_one_call_waits_and_the_next_ones_do_not(machines: World) -> None:
    node = machines.node()
    node.call("bump", "x")
    machines.redis.pause()
    eventually(lambda: not connected(node), seconds=5)
    begun = time.monotonic()
    node.run(deeds.bump_often, "x", 200)
    assert time.monotonic() - begun < 200 * 0.2 / 4  # one wait each would be 40 s
    machines.redis.resume()


def test_epochs_never_go_back_when_redis_is_emptied_or_restarted_empty(machines: World) -> None:
    watcher, other = machines.nodes(2)
    for _ in range(3):
        other.call("bump", "epoch")
    eventually(lambda: watcher.call("epoch", "epoch") == 3, seconds=2)
    watcher.begin(deeds.watch_epoch, "epoch")
    with machines.redis.client(2) as admin:
        admin.flushall()
        eventually(lambda: admin.hget(f"{PREFIX}epochs", "epoch") == b"3", seconds=5, what="the epoch again")
    assert other.call("bump", "epoch") == 4
    machines.redis.restart()
    assert other.call("bump", "epoch") == 5
    with machines.redis.client(2) as admin:
        eventually(lambda: admin.hget(f"{PREFIX}epochs", "epoch") == b"5", seconds=5, what="the epoch again")
    watcher.say("stop")
    seen = watcher.result()
    assert seen == sorted(seen)
    eventually(lambda: watcher.call("epoch", "epoch") == 5, seconds=2)


def test_documents_come_back_into_an_emptied_redis_and_removed_ones_do_not(machines: World) -> None:
    first, second = machines.nodes(2)
    first.call("share", "removed", b"content")
    first.call("share", "removed", None)
    first.call("share", "kept", b"content")
    eventually(lambda: second.call("shared", "kept") == b"content", seconds=5)
    eventually(lambda: second.call("shared", "removed") is None, seconds=5)
    with machines.redis.client(2) as admin:
        admin.flushall()
        eventually(lambda: admin.hget(f"{PREFIX}documents", "kept") == b"content", seconds=5)
        admin.delete(f"{PREFIX}documents")  # as when a key is evicted
        eventually(lambda: admin.hget(f"{PREFIX}documents", "kept") == b"content", seconds=5)
    assert second.call("shared", "removed") is None
    third = machines.node()
    assert (third.call("shared", "kept"), third.call("shared", "removed")) == (b"content", None)


def test_the_last_share_of_two_machines_that_were_apart_stands_on_both(machines: World) -> None:
    first, second = machines.nodes(2)
    machines.redis.kill()
    first.call("share", "mode", b"earlier")
    eventually(lambda: not connected(first) and not connected(second), seconds=5)
    time.sleep(0.01)  # the versions are milliseconds of the clock
    second.call("share", "mode", b"later")
    machines.redis.start()
    eventually(lambda: first.call("shared", "mode") == b"later", seconds=5)
    assert second.call("shared", "mode") == b"later"


def test_a_share_stands_although_another_machine_s_clock_is_ahead(machines: World) -> None:
    first, second = machines.nodes(2)
    with machines.redis.client(2) as admin:
        for ahead in range(5):
            admin.hset(f"{PREFIX}documents", "mode", "earlier")
            version = 4_000_000_000_000 + 1000 * ahead
            admin.hset(f"{PREFIX}stamps", "mode", f"{version}:+00000000")
            first.call("share", "mode", b"later %d" % ahead)
            assert admin.hget(f"{PREFIX}documents", "mode") == b"later %d" % ahead
            assert int(str(admin.hget(f"{PREFIX}stamps", "mode"), "ascii").partition(":")[0]) > version
    eventually(lambda: second.call("shared", "mode") == b"later 4", seconds=2)
    assert first.call("shared", "mode") == b"later 4"


def test_both_of_two_machines_that_bumped_while_apart_see_the_other_s_bump(machines: World) -> None:
    first, second = machines.nodes(2)
    machines.redis.kill()
    eventually(lambda: not connected(first) and not connected(second), seconds=5)
    assert first.call("bump", "flush") == second.call("bump", "flush") == 1
    machines.redis.start()
    eventually(lambda: first.call("epoch", "flush") == second.call("epoch", "flush") == 2, seconds=5)


def test_a_bump_while_apart_takes_effect_once_where_it_was_made(machines: World) -> None:
    first, sibling = machines.nodes(2, machine=0)
    second = machines.node(machine=1)
    machines.redis.kill()
    eventually(lambda: not any(connected(node) for node in (first, sibling, second)), seconds=5)
    assert first.call("bump", "reset") == 1
    first.begin(deeds.watch_epoch, "reset")
    machines.redis.start()
    eventually(lambda: second.call("epoch", "reset") == 1, seconds=5)
    eventually(lambda: connected(sibling), seconds=5)
    first.say("stop")
    assert first.result() == [1]


def test_rows_of_other_machines_end_with_redis_and_those_of_this_one_do_not(machines: World) -> None:
    here, beside = machines.nodes(2, machine=0)
    there = machines.node(machine=1)
    for node, row in ((here, b"here"), (beside, b"beside"), (there, b"there")):
        node.call("publish", "calls", row)
    eventually(
        lambda: len(here.run(deeds.rows, "calls")) == 3 == len(there.run(deeds.rows, "calls")), seconds=5
    )
    names = set(here.run(deeds.rows, "calls"))
    assert names == set(there.run(deeds.rows, "calls"))
    machines.redis.kill()
    eventually(lambda: sorted(here.run(deeds.rows, "calls").values()) == [b"beside", b"here"], seconds=5)
    eventually(lambda: list(there.run(deeds.rows, "calls").values()) == [b"there"], seconds=5)
    machines.redis.start()
    eventually(lambda: set(here.run(deeds.rows, "calls")) == names, seconds=5)


def test_a_long_leader_keeps_its_lead_and_a_dead_one_on_another_machine_loses_it(machines: World) -> None:
    leader, other = machines.nodes(2)
    leader.begin(deeds.lead, "key")
    assert leader.hear() is True
    assert other.run(deeds.fly, "key", 3.0)[0] is False  # longer than the lease
    leader.kill()
    assert other.run(deeds.fly, "key", 30.0)[0] is True


def test_everything_in_redis_has_the_prefix_and_dead_processes_leave_nothing(machines: World) -> None:
    nodes = machines.nodes(6)
    for node in nodes:
        node.call("publish", "calls", b"row")
        node.call("bump", "x")
        node.run(deeds.fly, "key", 0.1)
    with machines.redis.client(2) as admin:
        eventually(lambda: admin.hlen(f"{PREFIX}rows") == 6, seconds=5)
        assert all(key.startswith(PREFIX.encode()) for key in admin.scan_iter())
        for node in nodes[1:]:
            node.kill()
        eventually(lambda: admin.hlen(f"{PREFIX}rows") == admin.zcard(f"{PREFIX}leases") == 1, seconds=10)
        nodes[0].call("close")
        assert admin.hlen(f"{PREFIX}rows") == 0
        lasting = {f"{PREFIX}{name}".encode() for name in ("epochs", "epochs-by", "stamps", "documents")}
        for key in set(admin.scan_iter()) - lasting:
            assert 0 <= admin.ttl(key) <= 60, key


def test_a_start_without_redis_is_quick_and_joins_when_it_comes(machines: World) -> None:
    machines.redis.kill()
    first, second = machines.nodes(2)
    assert first.run(deeds.every_verb, 2)[0] < LONGEST_SECONDS
    machines.redis.start()
    all_agree_again(machines, first, second)


def test_what_a_stranger_put_into_redis_harms_nobody(machines: World) -> None:
    first, second = machines.nodes(2)
    with machines.redis.client(2) as admin:
        admin.hset(f"{PREFIX}stamps", "bad", "no version")
        admin.hset(f"{PREFIX}documents", "bad", "content")
        admin.hset(f"{PREFIX}rows", "nobody:0", b"\x01")
        admin.hset(f"{PREFIX}epochs", "n" * 100, "x")
    assert first.run(deeds.every_verb, 5)[0] < LONGEST_SECONDS
    all_agree_again(machines, first, second)


def test_the_log_has_one_line_when_redis_goes_and_one_when_it_comes(
    machines: World, caplog: pytest.LogCaptureFixture
) -> None:
    machine = machines.machines[0]
    assert machine.redis is not None
    coordination = RedisCoordination(
        machine.redis.client, EmbeddedCoordination(machine.folder), service="ticketing"
    )
    coordination.start()
    machines.redis.kill()
    for _ in range(20):
        coordination.bump("x")
    eventually(lambda: not coordination.is_connected)
    machines.redis.start()
    eventually(lambda: coordination.is_connected)
    coordination.close()
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(",")[0] for line in lines] == ["Redis is away", "Redis is back"]


def test_the_client_neither_retries_nor_waits_longer_than_it_says(machines: World, tmp_path: Path) -> None:
    options = machines.machines[0].redis
    assert options is not None
    attempts = 0

    class Counting(Redis):
        def execute_command(self, *arguments: object, **options: object) -> object:
            nonlocal attempts
            attempts += 1
            return super().execute_command(*arguments, **options)

    with options.client() as client:
        client.__class__ = Counting
        machines.redis.pause()
        begun = time.monotonic()
        with pytest.raises(Exception, match="Timeout"):
            client.get("x")
        assert attempts == 1
        assert time.monotonic() - begun < 5  # a client of its own mind waits for as long as it takes
    machines.redis.resume()
