"""One write: a verb, and the idempotency row that is committed with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Table, and_, bindparam, select, update
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.dml import Insert

from common.database.engine import Database
from common.database.prepared import Prepared
from common.web.idempotency import Answer, Idempotency, KeyReused, Replayed
from ticketing_service.storage.sql import schema

T = TypeVar("T")


Expired = Callable[[int], None]
"""Is told how many holds a commit has ended, whatever else it was for."""

_EXPIRED = "expired holds"


class Writer:
    """Runs verbs on the database, each exactly once under its idempotency key."""

    def __init__(self, database: Database, expired: Expired | None = None) -> None:
        self._database = database
        self._expired = expired

    def __call__(self, verb: Callable[[Connection], T], idempotency: Idempotency | None = None) -> T:
        """Raises what the verb raises, `Replayed`, `KeyReused` or `StoreUnavailable`."""
        ended = 0

        def counted(connection: Connection) -> T:
            nonlocal ended
            connection.info[_EXPIRED] = 0
            result = verb(connection) if idempotency is None else _once(connection, verb, idempotency)
            ended = connection.info[_EXPIRED]
            return result

        result = self._database.write(counted)
        if ended and self._expired is not None:
            self._expired(ended)
        return result


def note_expired(connection: Connection, count: int) -> None:
    """The verb that runs on `connection` has ended so many holds."""
    connection.info[_EXPIRED] = connection.info.get(_EXPIRED, 0) + count


def _once(connection: Connection, verb: Callable[[Connection], T], idempotency: Idempotency) -> T:
    # the row goes in first: of two requests under one key the second waits here until the first is decided
    inserted = _BEGIN.run(
        connection,
        scope=idempotency.scope,
        key=idempotency.key,
        fingerprint=idempotency.fingerprint,
        status=0,
        headers=[],
        body=b"",
        created_at=idempotency.created_at,
    )
    if inserted == 0:
        raise _taken(connection, idempotency)
    result = verb(connection)
    answer = idempotency.render(result)
    _ANSWER.run(
        connection,
        in_scope=idempotency.scope,
        under_key=idempotency.key,
        to_status=answer.status,
        to_headers=[list(header) for header in answer.headers],
        to_body=answer.body,
    )
    return result


def _taken(connection: Connection, idempotency: Idempotency) -> Replayed | KeyReused:
    row = _FOUND.row(connection, in_scope=idempotency.scope, under_key=idempotency.key)
    assert row is not None  # noqa: S101 the insert has just found it
    if bytes(row.fingerprint) != idempotency.fingerprint:
        return KeyReused()
    return Replayed(Answer(row.status, bytes(row.body), tuple((name, value) for name, value in row.headers)))


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves a row alone whose key is there already; `rowcount` tells whether it inserted."""
    return insert_new_on(connection.dialect.name, table)


def insert_new_on(dialect: str, table: Table) -> Insert:
    """`insert_new` by the dialect's name, for prepared statements."""
    if dialect == "mysql":
        return mysql_insert(table).prefix_with("IGNORE")
    return sqlite_insert(table).on_conflict_do_nothing()


_table = schema.idempotency
_is_it = and_(_table.c.scope == bindparam("in_scope"), _table.c.key == bindparam("under_key"))
_BEGIN = Prepared(lambda dialect: insert_new_on(dialect, _table))
_FOUND = Prepared(select(_table).where(_is_it))
_ANSWER = Prepared(
    update(_table)
    .where(_is_it)
    .values(status=bindparam("to_status"), headers=bindparam("to_headers"), body=bindparam("to_body"))
)
