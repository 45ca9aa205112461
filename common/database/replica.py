"""A copy of a MariaDB database that follows it by the binary log, and when it may answer in its place.

It answers only with all in it that was committed before it was asked: the database itself says how far its
binary log is (a variable, no table), and the copy waits until it is there too. So what a change has ended in
a cache is never filled in again with what was there before the change.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection

from common.database.engine import Database
from common.database.failures import DATABASE_ERRORS
from common.database.group_commit import Verb
from common.database.unavailable import StoreUnavailable

T = TypeVar("T")

WAIT_SECONDS = 0.1
"""How long the copy is waited for; the database itself answers sooner than one that is further behind."""

FIRST_PASS_SECONDS, LONGEST_PASS_SECONDS = 1.0, 30.0

logger = logging.getLogger(__name__)


class Replica(Database):
    """Reads see one moment, no earlier than when they were asked for. There are no writes.

    Args:
        url: `mysql+pymysql://user:password@host[:port][,host[:port]]/name`.
        primary: what it follows.
        threads: how many connections may be read from at the same time.
    """

    def __init__(self, url: str, primary: Database, threads: int = 8) -> None:
        super().__init__(url, threads)
        self._primary = primary

    def write(self, verb: Verb[T]) -> T:
        """Nobody decides anything here. Raises TypeError."""
        raise TypeError("a replica is only read")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """See Database. Raises `StoreUnavailable` also when it is too far behind, or that cannot be told."""
        position = _position(self._primary)
        with super().read() as connection:
            # touches no table: the moment that is seen begins with the first statement after it
            waited = connection.exec_driver_sql("SELECT MASTER_GTID_WAIT(%s, %s)", (position, WAIT_SECONDS))
            if waited.scalar() != 0:
                raise StoreUnavailable("the replica is behind")
            yield connection


def _position(database: Database) -> str:
    """How far the binary log is: no less than what was committed. Raises StoreUnavailable where none is."""
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT @@gtid_binlog_pos").scalar()
    if not found:
        raise StoreUnavailable("the database keeps no binary log, so that nobody can tell what it misses")
    return str(found)


class Replicas:
    """Whether a replica is asked. One that failed is passed over, for longer each time; then one caller tries
    it, while the others still ask the database itself. Safe for threads.

    Args:
        heard: is told `replica.read` and the seconds of each read that a replica answered.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        heard: Callable[[str, float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._heard, self._clock = heard, clock
        self._mutex = threading.Lock()
        self._failures, self._passed_over_until = 0, 0.0

    def ask(self, replica: Callable[[], T], primary: Callable[[], T]) -> T:
        """What the replica answers, else what the database itself does. Raises what the latter raises, and of
        the former what is not the database's: a refusal.
        """
        if not self._is_its_turn():
            return primary()
        began = self._clock()
        try:
            found = replica()
        except (StoreUnavailable, *DATABASE_ERRORS) as error:
            self._failed(error)
            return primary()
        self._answered()
        if self._heard is not None:
            self._heard("replica.read", self._clock() - began)
        return found

    def _is_its_turn(self) -> bool:
        with self._mutex:
            now = self._clock()
            if now < self._passed_over_until:
                return False
            if self._failures:
                # whoever comes while it is tried shall not wait for the same silence
                self._pass_over(now)
            return True

    def _failed(self, error: Exception) -> None:
        with self._mutex:
            self._failures += 1
            self._pass_over(self._clock())
            is_first = self._failures == 1
        if is_first:
            logger.warning("the replica is passed over: %s", error)

    def _answered(self) -> None:
        with self._mutex:
            was_away, self._failures, self._passed_over_until = self._failures > 0, 0, 0.0
        if was_away:
            logger.info("the replica answers again")

    def _pass_over(self, now: float) -> None:
        wait = min(LONGEST_PASS_SECONDS, FIRST_PASS_SECONDS * 2 ** max(0, self._failures - 1))
        self._passed_over_until = now + wait
