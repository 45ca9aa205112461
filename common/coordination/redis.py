"""Coordination of all machines of a service over Redis, on top of that of the processes of each machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from redis import Redis

from common.coordination import redis_scripts as scripts
from common.coordination.embedded import EmbeddedCoordination
from common.coordination.epochs import check_name
from common.coordination.locks import ForkAware
from common.coordination.redis_flights import RedisFlights
from common.coordination.redis_link import Away, RedisLink
from common.coordination.redis_sync import RedisSync


class RedisCoordination(ForkAware):
    """`Coordination` over all machines that share a Redis. What is read comes from this machine's files and
    memory, which one thread in each process keeps up to date: no caller waits for Redis to read.

    With Redis away, frozen, full or emptied no verb raises: this machine's processes go on among themselves,
    the one caller that meets the trouble waits 0.2 s and the next not at all, and what they bumped and shared
    is put into Redis when it is back. An epoch that two machines bumped meanwhile is bumped once more, so
    that each sees the other's.
    """

    kind: Literal["redis"] = "redis"

    def __init__(
        self, client_factory: Callable[[], Redis], local: EmbeddedCoordination, *, service: str
    ) -> None:
        """`client_factory` is as `RedisOptions.client`; `local` becomes this one's, and is closed with it."""
        super().__init__()
        self.local = local
        self._link = RedisLink(client_factory, f"{service}:coord:")
        self._flights = RedisFlights(self._link, local.flights)
        self._sync = RedisSync(self._link, local, self._flights)

    def start(self) -> None:
        """Begin, once, in the process that is going to use it (after a fork)."""
        self._sync.start()

    @property
    def is_connected(self) -> bool:
        """Whether Redis answered when it was asked last, a fifth of a second ago."""
        return self._link.is_up

    @property
    def slot(self) -> int:
        """See Coordination: of this machine."""
        return self.local.slot

    def epoch(self, name: str) -> int:
        """See Coordination."""
        return self.local.epoch(name)

    def bump(self, name: str) -> int:
        """See Coordination. Raises ValueError for a name of over 62 bytes, or too many names."""
        check_name(name)
        try:
            answer = self._link.ask(
                scripts.BUMP, ("epochs", "epochs-by"), name, self.local.epoch(name), self._sync.machine
            )
        except Away:
            self._sync.owe(name)
            return self.local.bump(name)
        self.local.epochs.raise_to(name, int(answer))
        return int(answer)

    def share(self, name: str, document: bytes | None) -> None:
        """See Coordination. Raises ValueError beyond 64 kB."""
        shared = self.local.documents.share(name, document)
        try:
            self._sync.give(name, shared, newest=True)
        except Away:
            return  # the syncer gives it

    def shared(self, name: str) -> bytes | None:
        """See Coordination."""
        return self.local.shared(name)

    def publish(self, table: str, row: bytes) -> None:
        """See Coordination: other machines see it 0.2 s later. Raises ValueError beyond 64 kB."""
        self.local.publish(table, row)

    def rows(self, table: str) -> Mapping[str, bytes]:
        """See Coordination; by machine and slot."""
        return self._sync.rows(table)

    @contextmanager
    def flight(self, key: str, wait_seconds: float) -> Iterator[bool]:
        """See Coordination; a leader that raises has left too."""
        leads = self._flights.join(key, wait_seconds)
        try:
            yield leads
        finally:
            if leads:
                self._flights.leave(key)

    def close(self) -> None:
        """See Coordination."""
        self._sync.close()
        self._link.close()
        self.local.close()

    def after_fork(self) -> None:
        self._link.is_up = False  # the thread is the parent's: a child goes on with this machine alone
