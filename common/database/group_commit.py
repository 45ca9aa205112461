"""Group commit: what several threads want written at the same time shares one transaction and one flush to
disk.

Durability is that of one transaction each: nobody gets an answer before the commit that holds his work.
Isolation too: a refusal undoes its own verb alone. There is no writer thread: the first in the queue leads,
runs all that queued up meanwhile, and hands the lead on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from common.database.failures import is_contention, is_unavailable
from common.database.unavailable import StoreUnavailable

T = TypeVar("T")
Verb = Callable[[Connection], T]

GROUP_LIMIT = 64
CONTENTION_RETRIES = 12

logger = logging.getLogger(__name__)


class _Entry:
    """One verb in the queue, its outcome, and the bell that rings when it is decided or shall lead."""

    __slots__ = ("bell", "decided", "error", "result", "taken", "verb")

    def __init__(self, verb: Verb[Any]) -> None:
        self.verb = verb
        self.bell = threading.Lock()
        self.bell.acquire()
        self.taken = self.decided = False
        self.result: Any = None
        self.error: BaseException | None = None

    def ring(self) -> None:
        self.bell.release()


class GroupCommit:
    """Runs verbs in shared transactions on `engine`, one transaction at a time in this process.

    Args:
        engine: its connections begin a transaction that may write (SQLite: `BEGIN IMMEDIATE`).
        turn: entered round each transaction; lets the processes of a machine take turns on an SQLite file.
        wait_seconds: the longest that a verb waits for its turn before `StoreUnavailable`.
    """

    def __init__(
        self, engine: Engine, turn: Callable[[], AbstractContextManager[None]], wait_seconds: float
    ) -> None:
        self._engine = engine
        self._turn = turn
        self._wait = wait_seconds
        self._mutex = threading.Lock()
        self._queue: deque[_Entry] = deque()
        self._led = False

    def run(self, verb: Verb[T]) -> T:
        """The result of `verb`, once it is durable.

        Raises: whatever the verb raises, with nothing of it kept; `StoreUnavailable` when the store failed,
        in which case the outcome is unknown if it failed while committing.
        """
        entry = _Entry(verb)
        with self._mutex:
            self._queue.append(entry)
            leads = not self._led
            self._led = True
        if not leads and not entry.bell.acquire(timeout=self._wait) and not self._withdraw(entry):
            entry.bell.acquire()
        if not entry.decided:
            self._lead()
        if entry.error is not None:
            raise entry.error
        return entry.result  # type: ignore[no-any-return]

    def _withdraw(self, entry: _Entry) -> bool:
        """Give up waiting: raises when the entry was not begun; False when its outcome must be awaited after
        all.
        """
        with self._mutex:
            if entry.taken or entry.decided or entry not in self._queue:
                return False
            if self._queue[0] is entry and entry.bell.acquire(blocking=False):
                return True
            self._queue.remove(entry)
        raise StoreUnavailable("waited too long for a turn to write")

    def _lead(self) -> None:
        """Run one group, this thread's own entry first, then pass the lead to the first that waits."""
        group: list[_Entry] = []
        try:
            self._decide(group)
        finally:
            with self._mutex:
                follower = self._queue[0] if self._queue else None
                self._led = follower is not None
                if follower is not None:
                    follower.ring()
            for entry in group[1:]:
                entry.ring()

    def _decide(self, group: list[_Entry]) -> None:
        """Run a group; when it lost against other transactions, run its verbs again one by one."""
        try:
            self._transact(self._taking(group))
        except BaseException as error:
            if not group:  # there was no turn to be had, which is as true for those that wait behind
                self._take(group)
            if not is_contention(error):
                _fail(group, error)
            else:
                for entry in group:
                    self._alone(entry)

    def _taking(self, group: list[_Entry]) -> Iterator[_Entry]:
        """What is queued at the moment when the first is asked for; it is put into `group`."""
        self._take(group)
        yield from group

    def _take(self, group: list[_Entry]) -> None:
        with self._mutex:
            group += [self._queue.popleft() for _ in range(min(GROUP_LIMIT, len(self._queue)))]
            for entry in group:
                entry.taken = True

    def _alone(self, entry: _Entry) -> None:
        for attempt in range(CONTENTION_RETRIES):
            try:
                return self._transact((entry,))
            except BaseException as error:
                if not is_contention(error):
                    return _fail([entry], error)
                logger.info("transaction lost against another one", extra={"attempt": attempt + 1})
                time.sleep(0.001 * (attempt + 1))
        return _fail([entry], StoreUnavailable("lost against other transactions too often"))

    def _transact(self, entries: Iterable[_Entry]) -> None:
        """Run and commit `entries`, which are asked for when it is this process's turn: what is queued until
        then goes with them.
        """
        with (
            self._turn(),
            self._engine.connect() as connection,
            _undoing(connection),
            leaving_what_failed(connection),
        ):
            outcomes = _outcomes(connection, entries)
        for entry, result, error in outcomes:
            entry.result, entry.error, entry.decided = result, error, True


_Outcome = tuple[_Entry, Any, BaseException | None]


def _outcomes(connection: Connection, entries: Iterable[_Entry]) -> list[_Outcome]:
    """The result or the refusal of each, once all that was not refused is committed; failures of the store
    itself end the whole group.

    As long as there is nothing to keep, a refusal undoes the whole transaction, so the first verb needs no
    savepoint. None is released: the commit does that.
    """
    outcomes: list[_Outcome] = []
    keeps = False
    connection.begin()
    for entry in entries:
        if keeps:
            _control(connection, "SAVEPOINT verb")
        try:
            outcomes.append((entry, entry.verb(connection), None))
            keeps = True
        except Exception as error:
            if is_contention(error) or is_unavailable(error):
                raise
            outcomes.append((entry, None, error))
            if keeps:
                _control(connection, "ROLLBACK TO SAVEPOINT verb")
            else:
                connection.rollback()
                connection.begin()
    connection.commit()
    return outcomes


@contextmanager
def _undoing(connection: Connection) -> Iterator[None]:
    """What failed is undone, also while committing: a connection that is closed then would keep it open."""
    try:
        yield
    except BaseException:
        connection.rollback()
        raise


def _control(connection: Connection, command: str) -> None:
    """On the bare driver: Core's own nested transactions cost more than many a verb."""
    cursor = connection.connection.cursor()
    cursor.execute(command)
    cursor.close()


def _fail(group: list[_Entry], error: BaseException) -> None:
    outcome = StoreUnavailable(str(error.__cause__ or error)) if is_unavailable(error) else error
    for entry in group:
        if not entry.decided:
            entry.error, entry.decided = outcome, True


@contextmanager
def leaving_what_failed(connection: Connection) -> Iterator[None]:
    """Never use a connection again on which the store itself failed: it may be to a server that has left."""
    try:
        yield
    except Exception as error:
        if is_unavailable(error) and not connection.invalidated:
            connection.invalidate(error)
        raise


@contextmanager
def no_turns() -> Iterator[None]:
    """For databases that order their writers themselves."""
    yield
