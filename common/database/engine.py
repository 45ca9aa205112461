"""An SQL database opened by URL, with the durability and the time-outs that a sale needs."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Dialect, Engine, NullPool, QueuePool, create_engine, event, text

from common.database.failures import DATABASE_ERRORS, is_contention, is_unavailable
from common.database.group_commit import GroupCommit, Verb, leaving_what_failed, no_turns
from common.database.hosts import Hosts, split_hosts
from common.database.limits import CONNECT_SECONDS, POOL_WAIT_SECONDS, STATEMENT_SECONDS
from common.database.turns import Turns
from common.database.unavailable import StoreUnavailable

T = TypeVar("T")


class Database:
    """Reads see one snapshot; writes are atomic verbs under group commit. Safe for threads; opened after a
    fork.

    Args:
        url: `sqlite:///path` or `mysql+pymysql://user:password@host[:port][,host[:port]]/name`.
        threads: how many connections may be read from at the same time.
    """

    def __init__(self, url: str, threads: int = 8) -> None:
        self.kind = "sqlite" if url.startswith("sqlite") else "mysql"
        first, addresses = split_hosts(url)
        self._hosts = Hosts(addresses)
        if self.kind == "sqlite":
            self._reader, self._writer, turn = _open_sqlite(first, threads)
        else:
            self._reader, self._writer, turn = _open_mysql(first, self._hosts, threads)
        self._turn = turn
        self._group = GroupCommit(self._writer, turn, wait_seconds=STATEMENT_SECONDS)

    def write(self, verb: Verb[T]) -> T:
        """The result of `verb` once it is committed and on disk. Raises what the verb raises, or
        `StoreUnavailable`.
        """
        return self._group.run(verb)

    @property
    def dialect(self) -> Dialect:
        """What statements are written for."""
        return self._writer.dialect

    @property
    def takes_turns(self) -> bool:
        """Whether all who write wait for each other: then what can be read before is better read before."""
        return isinstance(self._turn, Turns)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection on which all statements see the same snapshot. Raises `StoreUnavailable`."""
        try:
            with self._reader.connect() as connection, leaving_what_failed(connection):
                yield connection
        except DATABASE_ERRORS as error:
            # what only reads waits for nobody's lock, but in a cluster for what the other nodes have decided
            if is_unavailable(error) or is_contention(error):
                raise StoreUnavailable(str(error.__cause__ or error)) from error
            raise

    def ping(self) -> None:
        """Ask for a sign of life. Raises `StoreUnavailable`."""
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def connections_in_use(self) -> int:
        """How many connections of this process are at work."""
        pools = (self._reader.pool, self._writer.pool)
        return sum(pool.checkedout() for pool in pools if isinstance(pool, QueuePool))

    def close(self) -> None:
        self._reader.dispose()
        self._writer.dispose()
        if isinstance(self._turn, Turns):
            self._turn.close()

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations."""
        return self._writer

    def unhurried(self) -> Engine:
        """Connections whose statements may take as long as they take."""
        engine = create_engine(self._writer.url, poolclass=NullPool, connect_args={"connect_timeout": 5})
        self._hosts.serve(engine)
        return engine


_Opened = tuple[Engine, Engine, Callable[[], AbstractContextManager[None]]]


def _open_sqlite(url: URL, threads: int) -> _Opened:
    path = Path(url.database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    # it holds personal data; what SQLite lays beside it gets the same mode
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def engine(size: int, begin: str) -> Engine:
        made = create_engine(
            url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            # an error's text is kept with its task, and may reach a log
            hide_parameters=True,
            pool_reset_on_return="rollback",
            connect_args={"check_same_thread": False, "timeout": STATEMENT_SECONDS, "isolation_level": None},
        )
        event.listen(made, "connect", _prepare_sqlite)
        # the driver is told to leave transactions alone, so that BEGIN says exactly what is meant
        event.listen(made, "begin", lambda connection: connection.exec_driver_sql(begin))
        return made

    return (
        engine(threads, "BEGIN"),
        engine(1, "BEGIN IMMEDIATE"),
        Turns(path.with_name(path.name + ".turn")),
    )


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-8000",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _open_mysql(url: URL, hosts: Hosts, threads: int) -> _Opened:
    arguments = {
        "connect_timeout": CONNECT_SECONDS,
        # a little longer than the server's own limit, which gives the better message
        "read_timeout": STATEMENT_SECONDS + 1,
        "write_timeout": STATEMENT_SECONDS + 1,
        "charset": "utf8mb4",
        "init_command": (
            f"SET SESSION innodb_lock_wait_timeout={STATEMENT_SECONDS}"
            # MariaDB's own; MySQL reads it as a comment. On a cluster, what another node has committed is
            # awaited before anything is read or written here.
            f" /*M! , max_statement_time={STATEMENT_SECONDS}"
            f"{', wsrep_sync_wait=7' if hosts.are_several else ''} */, "
            "sql_mode='STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION', time_zone='+00:00'"
        ),
    }

    def engine(size: int, isolation: str) -> Engine:
        made = create_engine(
            url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            # an error's text is kept with its task, and may reach a log
            hide_parameters=True,
            pool_recycle=1800,
            pool_pre_ping=True,
            isolation_level=isolation,
            # positional, as prepared statements bind
            paramstyle="format",
            connect_args=arguments,
        )
        hosts.serve(made)
        return made

    # a writer must see what was committed after its transaction began; a reader one moment for all its
    # statements
    return engine(threads, "REPEATABLE READ"), engine(1, "READ COMMITTED"), no_turns
