"""How a database fails, in the words that the rest of the code knows."""

from __future__ import annotations

import sqlite3

from pymysql.err import Error as MySqlError
from pymysql.err import InterfaceError as MySqlInterfaceError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

MYSQL_DEADLOCK = 1213
MYSQL_LOCK_WAIT = 1205
MYSQL_DUPLICATE = 1062
NODE_NOT_READY = 1047  # of a Galera cluster; also "unknown command"
COMMIT_FAILED = 1180  # the node left the cluster meanwhile: the others may have it, or not
QUERY_INTERRUPTED = 1317
CONNECTION_KILLED = 1927
MYSQL_STATEMENT_TOO_LONG = 1969
_MYSQL_UNAVAILABLE = frozenset(
    {
        1040,
        NODE_NOT_READY,
        1053,
        1077,
        COMMIT_FAILED,
        1129,
        1158,
        1159,
        1160,
        1161,
        1203,
        1226,
        QUERY_INTERRUPTED,
        1836,
        CONNECTION_KILLED,
        MYSQL_STATEMENT_TOO_LONG,
        2002,
        2003,
        2006,
        2013,
        2014,
        2055,
    }
)
_SQLITE_UNAVAILABLE = ("database is locked", "disk I/O error", "database or disk is full", "unable to open")
DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error, MySqlError)


def mysql_code(error: BaseException) -> int | None:
    """The server's or client's number of a MySQL error."""
    cause = _cause(error)
    if isinstance(cause, MySqlError) and cause.args and isinstance(cause.args[0], int):
        return cause.args[0]
    return None


def is_contention(error: BaseException) -> bool:
    """Whether the transaction lost against another one and may simply be run again."""
    return mysql_code(error) in (MYSQL_DEADLOCK, MYSQL_LOCK_WAIT)


def is_duplicate(error: BaseException, column: str) -> bool:
    """Whether a unique index that has `column` in its name, or among its columns, objected."""
    cause = _cause(error)
    if isinstance(cause, sqlite3.IntegrityError):
        return "UNIQUE" in str(cause) and column in str(cause)
    return mysql_code(error) == MYSQL_DUPLICATE and column in str(cause)


def is_unavailable(error: BaseException) -> bool:
    """Whether the store itself failed, not the statement."""
    if isinstance(error, PoolTimeout) or getattr(error, "connection_invalidated", False):
        return True
    cause = _cause(error)
    if isinstance(cause, MySqlInterfaceError) or mysql_code(error) in _MYSQL_UNAVAILABLE:
        return True
    return isinstance(cause, sqlite3.Error) and any(sign in str(cause) for sign in _SQLITE_UNAVAILABLE)


def _cause(error: BaseException) -> BaseException | None:
    """The driver's own error; prepared statements raise it bare."""
    return error.orig if isinstance(error, DBAPIError) else error
