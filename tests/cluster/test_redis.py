"""The Redis server behind sentinels is killed during a sale: its replica takes over, the sale goes on."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from redis.exceptions import RedisError

from tests.invariants.over_http import assert_whole, destination_in, is_under_way, load_it, new_seed, served
from tests.servers.process import eventually
from tests.servers.redis import RedisServer, Sentinel
from tests.servers.stack import ServiceStack

OPERATIONS = 20
SECONDS = 60.0


def test_the_server_is_killed_and_the_sale_goes_on(store_url: str, tmp_path: Path) -> None:
    with RedisServer() as server, RedisServer() as replica, Sentinel(server) as sentinel:
        with replica.client() as admin:
            admin.execute_command("REPLICAOF", server.host, server.port)
            eventually(lambda: admin.info("replication")["master_link_status"] == "up", what="the replica")
        eventually(lambda: sentinel.replicas() == 1, seconds=SECONDS, what="the sentinel's knowledge")
        env = {"REDIS_SENTINELS": f"{sentinel.host}:{sentinel.port}", "REDIS_MASTER": sentinel.master}
        seed = new_seed()
        with served(tmp_path, store_url, env) as stack:
            eventually(lambda: _cache(stack)["status"] == "healthy", seconds=SECONDS, what="the cache")
            destination = destination_in(store_url)
            killed = moved = False

            def kill_and_look() -> None:
                nonlocal killed, moved
                if not killed and is_under_way(tmp_path):
                    server.kill()
                    killed = True
                elif killed and not moved:
                    moved = _leads(replica) and _cache(stack)["status"] == "healthy"

            run = load_it(tmp_path, stack, destination, seed, kill_and_look, lambda: moved, OPERATIONS)
            assert moved
            assert_whole(store_url, run, seed, stack)


def _leads(replica: RedisServer) -> bool:
    # who makes it the server ends all connections to it
    with replica.client() as admin, suppress(RedisError):
        return bool(admin.info("replication")["role"] == "master")
    return False


def _cache(stack: ServiceStack) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{stack.ticketing_url}/api/v1/monitoring/health").json()["checks"][
        "cache"
    ]
    return found
