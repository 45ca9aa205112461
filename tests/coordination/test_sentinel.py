"""Coordination behind sentinels follows the Redis server when it moves."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from common.coordination.opening import open_coordination
from common.coordination.redis import RedisCoordination
from common.redis_options import RedisOptions
from tests.servers.process import eventually
from tests.servers.redis import RedisServer, Sentinel


def test_coordination_follows_the_server_to_its_replica(tmp_path: Path) -> None:
    with RedisServer() as server, RedisServer() as replica, Sentinel(server) as sentinel:
        with replica.client() as admin:
            admin.execute_command("REPLICAOF", server.host, server.port)
            eventually(lambda: admin.info("replication")["master_link_status"] == "up", what="the replica")
        eventually(lambda: sentinel.replicas() == 1, seconds=30, what="the sentinel's knowledge")
        options = RedisOptions(sentinels=((sentinel.host, sentinel.port),), master=sentinel.master, db=2)
        one = open_coordination(tmp_path / "one", "ticketing", options)
        other = open_coordination(tmp_path / "other", "ticketing", options)
        with closing(one), closing(other):
            assert isinstance(one, RedisCoordination)
            assert one.is_connected
            assert one.bump("x") == 1
            server.kill()
            assert one.bump("x") == 2
            eventually(lambda: one.is_connected, seconds=30, what="the connection to the replica")
            assert one.bump("x") == 3
            eventually(lambda: other.epoch("x") == 3, seconds=5, what="the epoch")


def test_files_serve_where_no_redis_is_named(tmp_path: Path) -> None:
    ticketing, admin = (open_coordination(tmp_path, service) for service in ("ticketing", "admin"))
    with closing(ticketing), closing(admin):
        assert (ticketing.kind, admin.kind) == ("embedded", "embedded")
        assert (ticketing.slot, admin.slot) == (0, 0)  # each service counts its own
        ticketing.bump("x")
        assert admin.epoch("x") == 0
