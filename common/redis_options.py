"""How to reach Redis: one frozen value, and the one client that is made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

TIMEOUT_SECONDS = 0.2
SENTINEL_TIMEOUT_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """A server (`host`, `port`), or the sentinels (host, port) that know where the `master` is now."""

    host: str = "127.0.0.1"
    port: int = 6379
    password: str | None = field(default=None, repr=False)
    db: int = 0
    sentinels: Sequence[tuple[str, int]] = ()
    master: str = ""

    def client(self, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Redis:
        """A client with a pool of its own, for one process: make it after the fork, and close it. No I/O yet.

        A command raises `redis.RedisError` after `timeout_seconds` at the latest, and is never repeated: by
        default the library waits 5 s and tries ten times. Behind sentinels a new connection may take longer
        by SENTINEL_TIMEOUT_SECONDS for each of them that hangs.
        """
        options = {"password": self.password, "db": self.db, **_quick(timeout_seconds)}
        if not self.sentinels:
            return Redis(host=self.host, port=self.port, **options)
        sentinel: Any = Sentinel  # the library does not type it
        asking = sentinel(list(self.sentinels), sentinel_kwargs=_quick(SENTINEL_TIMEOUT_SECONDS))
        found: Redis = asking.master_for(self.master, **options)
        return found


def _quick(timeout_seconds: float) -> dict[str, Any]:
    return {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), 0),
        # A new connection is ready without further round trips, each of which could be waited for.
        "protocol": 2,
        "driver_info": None,
    }
