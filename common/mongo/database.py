"""A MongoDB deployment opened by URL, with the durability and the time-outs that a sale needs."""

from __future__ import annotations

import math
import random
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.uri_parser import parse_uri
from pymongo.write_concern import WriteConcern

from common.database.limits import CONNECT_SECONDS, STATEMENT_SECONDS
from common.database.unavailable import StoreUnavailable
from common.mongo.failures import (
    NO_SUCH_TRANSACTION,
    Conflict,
    is_conflict,
    is_transient,
    is_unknown_commit,
    translated,
)
from common.mongo.listening import Commands, Connections, Heard
from common.mongo.transaction import Transaction
from common.mongo.turns import Turns
from common.mongo.values import Document

T = TypeVar("T")
Verb = Callable[[Transaction], T]

RETRY_SECONDS = 2.0
"""How long a transaction that loses against others is begun again, after it had its turn in the process."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.001, 0.05
HEARTBEAT_SECONDS = 1
SNAPSHOT = ReadConcern("snapshot")
DURABLE = WriteConcern("majority", j=True)


class NoReplicaSet(StoreUnavailable):
    """The deployment cannot do what a sale needs."""


class MongoDatabase:
    """Reads are of what a majority has; writes are atomic verbs. Safe for threads; opened after a fork.

    Args:
        url: `mongodb://user:password@host:port,host:port/name`, with the options of a connection string.
        threads: how many connections a server gets at most.
        heard: is told of each command that was answered: its name (`command.find`) and its seconds.
        monotonic: seconds that never go back, for how long servers are away.
    """

    kind = "mongodb"

    def __init__(
        self,
        url: str,
        threads: int = 8,
        heard: Heard | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._connections = Connections()
        self.client: MongoClient[Document] = _client(url, threads, self._connections, heard)
        self._database = self.client[database_name(url)]
        self._turns = Turns()
        self._away_since, self._asked_at = math.inf, -math.inf
        self._may_wait_again = True
        self._abandoned: deque[ClientSession] = deque()

    @property
    def bare(self) -> Database[Document]:
        """The driver's own, for migrations."""
        return self._database

    def write(self, verb: Verb[T], turns: Iterable[Hashable] = ()) -> T:
        """The result of `verb` once it is committed and in the journal of a majority.

        `turns` name what the verb is going to write and others may want at the same time: in this process
        they go one after the other. Against other processes a transaction that loses is run again, for as
        long as `RETRY_SECONDS`.

        Raises: what the verb raises, with nothing of it kept; `StoreUnavailable` when the store failed, in
        which case the outcome is unknown if it failed while committing.
        """
        with self._turns.taken(turns, STATEMENT_SECONDS):
            return self._retried(verb)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """For statements that need not see the same moment, or a single one. Raises `StoreUnavailable`."""
        self._ask()
        with _translating():
            yield Transaction(self._database)

    def at_one_moment(self, reader: Verb[T]) -> T:
        """The result of `reader`, all statements of which see the same moment. Raises `StoreUnavailable`."""
        return self._retried(reader)

    def ping(self) -> None:
        """Ask for a sign of life. Raises `StoreUnavailable`."""
        self._require_server(self._monotonic())
        with _translating():
            self._database.command("ping")

    def require_replica_set(self) -> None:
        """Raises NoReplicaSet, one line, when there are no transactions and no majority to write to."""
        with _translating():
            hello = self.client.admin.command("hello")
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise NoReplicaSet(
                "MongoDB runs without a replica set, which transactions and majority writes need: "
                "start mongod with --replSet and run rs.initiate()"
            )

    def connections_in_use(self) -> int:
        """How many connections of this process are at work."""
        return self._connections.in_use

    def close(self) -> None:
        self.client.close()

    def _ask(self) -> None:
        """Before a statement: nobody waits for servers that the driver, which looks every second, finds to be
        away. For the first second it is waited for them: one look may have come too late on a busy machine.
        Once in an outage that is so again, for who asks after a second in which nobody did: another process
        may have found them before this one looks.
        """
        now = self._monotonic()
        quiet, self._asked_at = now - self._asked_at > HEARTBEAT_SECONDS, now
        self._require_server(now, quiet=quiet)

    def _require_server(self, now: float, *, quiet: bool = False) -> None:
        """Raises StoreUnavailable when they have been away for more than a second; see `_ask`."""
        known = self.client.topology_description
        error = next((each.error for each in known.server_descriptions().values() if each.error), None)
        if error is None or known.has_known_servers:
            self._away_since, self._may_wait_again = math.inf, True
            return
        if self._away_since == math.inf:
            self._away_since = now
        elif quiet and self._may_wait_again:
            self._away_since, self._may_wait_again = now, False
        if now - self._away_since > HEARTBEAT_SECONDS:
            raise StoreUnavailable(f"{type(error).__name__}: {str(error)[:200]}")

    def _retried(self, verb: Verb[T]) -> T:
        deadline = time.monotonic() + RETRY_SECONDS
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._once(verb, deadline)
            except (PyMongoError, Conflict) as error:
                if _is_final(error) or time.monotonic() + pause > deadline:
                    raise _ended_by(error) from error
            # as long as it may take, not always the same: those that lost together come back one by one
            time.sleep(random.uniform(0, pause))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _once(self, verb: Verb[T], deadline: float) -> T:
        self._ask()
        self._end_abandoned()
        session = self.client.start_session(causal_consistency=False)
        try:
            session.start_transaction(read_concern=SNAPSHOT, write_concern=DURABLE)
            result = verb(Transaction(self._database, session))
        except BaseException as error:
            if isinstance(error, ConnectionFailure):
                self._abandoned.append(session)
            else:
                # the server forgets it by itself when it cannot be told
                session.end_session()
            raise
        with session:
            _commit(session, deadline)
        return result

    def _end_abandoned(self) -> None:
        """End the transactions whose servers could not be told to: a server keeps what they have written from
        everybody else for a minute.
        """
        if not self._abandoned:
            return
        self._database.command("ping")
        while self._abandoned:
            with suppress(IndexError, PyMongoError):
                self._abandoned.popleft().end_session()


def database_name(url: str) -> str:
    """The database that the URL names. Raises ValueError for a URL that names none, or that is none."""
    try:
        name = parse_uri(url, validate=True, warn=False)["database"]
    except (InvalidURI, ConfigurationError) as error:
        raise ValueError("not a mongodb:// URL") from error
    if not name:
        raise ValueError("the mongodb:// URL names no database")
    return str(name)


def _client(url: str, threads: int, connections: Connections, heard: Heard | None) -> MongoClient[Document]:
    listeners: list[Any] = [connections]
    if heard is not None:
        listeners.append(Commands(heard))
    # said here they go before what the URL says of the same: a weaker write is no sale
    return MongoClient(
        url,
        w="majority",
        journal=True,
        readConcernLevel="majority",
        readPreference="primary",
        retryWrites=True,
        retryReads=True,
        timeoutMS=STATEMENT_SECONDS * 1000,
        connectTimeoutMS=CONNECT_SECONDS * 1000,
        serverSelectionTimeoutMS=CONNECT_SECONDS * 1000,
        heartbeatFrequencyMS=HEARTBEAT_SECONDS * 1000,
        # one connection that looks, and none beside it that measures how far away the server is
        serverMonitoringMode="poll",
        maxPoolSize=threads,
        maxConnecting=max(2, threads // 2),
        maxIdleTimeMS=600_000,
        uuidRepresentation="standard",
        event_listeners=listeners,
        connect=False,
    )


def _is_final(error: Exception) -> bool:
    """Whether another try would not help: it is not for being lost, or there is no server to try it on."""
    return not is_transient(error) or isinstance(error, ServerSelectionTimeoutError)


def _ended_by(error: PyMongoError | Conflict) -> Exception:
    if isinstance(error, Conflict) or is_conflict(error):
        return StoreUnavailable("lost against other transactions too often")
    if is_transient(error):
        # such as one that the server has ended, because it took too long or was ended with its connection
        return StoreUnavailable(f"{type(error).__name__}: {str(error)[:200]}")
    return translated(error)


def _commit(session: ClientSession, deadline: float) -> None:
    """Once more when it may or may not have happened: a commit can be asked for any number of times."""
    while True:
        try:
            return session.commit_transaction()
        except PyMongoError as error:
            # a server that was started anew need not know any more of what it has committed before
            is_open = is_unknown_commit(error) or getattr(error, "code", None) == NO_SUCH_TRANSACTION
            if not is_open:
                raise
            if not is_unknown_commit(error) or time.monotonic() > deadline:
                raise StoreUnavailable("it is not known whether the transaction was committed") from error
        time.sleep(FIRST_PAUSE_SECONDS)


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        raise translated(error) from error
