"""How to reach Redis: one frozen value, and the one client that is made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from redis import Redis

SENTINEL_TIMEOUT_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """A server (`host`, `port`), or the sentinels (host, port) that know where the `master` is now.

    `timeout_seconds`: the longest that a connection or an answer is waited for.
    """

    host: str = "127.0.0.1"
    port: int = 6379
    password: str | None = field(default=None, repr=False)
    db: int = 0
    sentinels: Sequence[tuple[str, int]] = ()
    master: str = ""
    timeout_seconds: float = 0.2

    def client(self) -> Redis:
        """A client with a pool of its own, for one process: make it after the fork, and close it. No I/O yet.

        A command raises `redis.RedisError` after `timeout_seconds` at the latest, and is never repeated: by
        default the library waits 5 s and tries ten times. Behind sentinels a new connection may take longer
        by SENTINEL_TIMEOUT_SECONDS for each of them that hangs.
        """
        # Not at the top: the library is only wanted in memory where Redis is.
        from redis import Redis  # noqa: PLC0415
        from redis.sentinel import Sentinel  # noqa: PLC0415

        options = {"password": self.password, "db": self.db, **_quick(self.timeout_seconds)}
        if not self.sentinels:
            return Redis(host=self.host, port=self.port, **options)
        sentinel: Any = Sentinel  # the library does not type it
        asking = sentinel(list(self.sentinels), sentinel_kwargs=_quick(SENTINEL_TIMEOUT_SECONDS))
        found: Redis = asking.master_for(self.master, **options)
        return found


def _quick(timeout_seconds: float) -> dict[str, Any]:
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    return {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), 0),
        # A new connection is ready without further round trips, each of which could be waited for.
        "protocol": 2,
        "driver_info": None,
    }


class RedisSettings(Protocol):
    """What of the settings says where Redis is."""

    @property
    def redis_host(self) -> str: ...
    @property
    def redis_port(self) -> int: ...
    @property
    def redis_password(self) -> str: ...
    @property
    def redis_db(self) -> int: ...
    @property
    def redis_timeout_ms(self) -> int: ...
    @property
    def redis_sentinels(self) -> tuple[tuple[str, int], ...]: ...
    @property
    def redis_master(self) -> str: ...


def redis_options(settings: RedisSettings) -> RedisOptions | None:
    """The Redis that the settings name; None when they name none, neither a host nor sentinels."""
    if not (settings.redis_host or settings.redis_sentinels):
        return None
    return RedisOptions(
        host=settings.redis_host,
        port=settings.redis_port,
        password=settings.redis_password or None,
        db=settings.redis_db,
        sentinels=settings.redis_sentinels,
        master=settings.redis_master,
        timeout_seconds=settings.redis_timeout_ms / 1000,
    )
