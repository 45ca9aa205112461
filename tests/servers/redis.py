"""A Redis server of our own: free port, temp folder, empty; nothing of the system is touched."""

from __future__ import annotations

import os
import secrets
from typing import Self

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.servers.process import Process
from tests.servers.server import Server, program

UNHURRIED_SECONDS = 2.0
"""The time-out of a client on a busy machine, where Redis's own troubles are not what is tested."""


class RedisServer(Server):
    """`with RedisServer() as server: client = server.client()`; `kill` and `start` for crash tests.

    It keeps nothing on disk unless `durable`, so that a restart is a restart on empty.
    """

    def __init__(
        self,
        *,
        maxmemory: str | None = None,
        policy: str = "noeviction",
        password: str | None = None,
        durable: bool = False,
    ) -> None:
        """`maxmemory` as Redis writes it (4mb); `durable`: every write is on disk before its answer."""
        super().__init__("redis")
        self.password = password
        self.unix_socket = self.folder / "socket"
        self.process = Process(self._argv(maxmemory, policy, durable), name="redis-server")

    def start(self) -> Self:
        """Start (again, on the same port), and wait until it answers."""
        self.process.start()
        self.process.wait_until(self._answers, what="answering")
        return self

    def restart(self) -> None:
        """Kill and start, on the same port and (unless durable) empty."""
        self.kill()
        self.start()

    def client(self, db: int = 0) -> Redis:
        """A client of the test itself, over the unix socket, with generous time-outs; close it."""
        return Redis(
            unix_socket_path=str(self.unix_socket),
            db=db,
            password=self.password,
            socket_timeout=10,
            socket_connect_timeout=10,
            retry=Retry(NoBackoff(), 0),
        )

    def _answers(self) -> bool:
        """True when the server behind our port is the process that we started."""
        token = secrets.token_hex(8)
        over_port = Redis(host=self.host, port=self.port, password=self.password, retry=Retry(NoBackoff(), 0))
        with self.client() as over_socket, over_port:
            try:
                over_socket.set(f"started:{token}", os.getpid(), ex=10)
                return over_port.delete(f"started:{token}") == 1
            except RedisError:
                return False

    def _argv(self, maxmemory: str | None, policy: str, durable: bool) -> list[str]:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "unixsocket": str(self.unix_socket),
            "dir": str(self.folder),
            "daemonize": "no",
            "save": "",
            "appendonly": "yes" if durable else "no",
            "appendfsync": "always",
            "maxmemory": maxmemory or "0",
            "maxmemory-policy": policy,
            **({"requirepass": self.password} if self.password else {}),
        }
        return [_program(), *(word for name, value in options.items() for word in (f"--{name}", value))]


class Sentinel(Server):
    """`with Sentinel(server) as sentinel:` watches it, and when it is gone makes its replica the server."""

    def __init__(self, watched: RedisServer, *, master: str = "main", after_ms: int = 300) -> None:
        """`after_ms`: the silence after which the server counts as gone."""
        super().__init__("sentinel")
        self.master = master
        self._config = self.folder / "sentinel.conf"  # the sentinel writes what it learns into it
        self._config.write_text(
            f"bind 127.0.0.1\nport {self.port}\ndir {self.folder}\n"
            f"sentinel monitor {master} {watched.host} {watched.port} 1\n"
            f"sentinel down-after-milliseconds {master} {after_ms}\n"
            f"sentinel failover-timeout {master} 5000\n"
        )
        self.process = Process([_program(), self._config, "--sentinel"], name="redis-sentinel")

    def replicas(self) -> int:
        """How many replicas of the server it knows."""
        with Redis(host=self.host, port=self.port, retry=Retry(NoBackoff(), 0)) as asking:
            return len(asking.sentinel_slaves(self.master))

    def start(self) -> Self:
        """Start, and wait until it listens."""
        self.process.start()
        self.process.wait_for_port(self.port)
        return self


def _program() -> str:
    return program("redis-server", "redis-server")
