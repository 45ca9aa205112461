"""Which coordination a service runs with: one place that decides."""

from __future__ import annotations

from pathlib import Path

from common.coordination.embedded import EmbeddedCoordination
from common.coordination.port import Coordination
from common.redis_options import RedisOptions


def open_coordination(data_dir: Path, service: str, redis: RedisOptions | None = None) -> Coordination:
    """Open it, once in each process and after the fork; `close` it at the end. Raises nothing.

    `redis`: see `redis_options(settings)`; without it the processes that share `data_dir` (a local disk) are
    coordinated by files in `data_dir/coordination/<service>`, with it all machines that share the Redis are,
    and those files serve when it is away.
    """
    local = EmbeddedCoordination(data_dir / "coordination" / service)
    if redis is None:
        return local
    # Not at the top: the client's library is only wanted in memory where Redis is.
    from common.coordination.redis import RedisCoordination  # noqa: PLC0415

    shared = RedisCoordination(redis.client, local, service=service)
    shared.start()
    return shared
