"""One write: a verb, and the idempotency row that is committed with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, Table, and_, select, update
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.dml import Insert

from common.database.engine import Database
from common.web.idempotency import Answer, Idempotency, KeyReused, Replayed
from ticketing_service.storage.sql import schema

T = TypeVar("T")


class Writer:
    """Runs verbs on the database, each exactly once under its idempotency key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, verb: Callable[[Connection], T], idempotency: Idempotency | None = None) -> T:
        """Raises what the verb raises, `Replayed`, `KeyReused` or `StoreUnavailable`."""
        if idempotency is None:
            return self._database.write(verb)
        return self._database.write(lambda connection: _once(connection, verb, idempotency))


def _once(connection: Connection, verb: Callable[[Connection], T], idempotency: Idempotency) -> T:
    table = schema.idempotency
    # the row goes in first: of two requests under one key the second waits here until the first is decided
    inserted = connection.execute(
        insert_new(connection, table).values(
            scope=idempotency.scope,
            key=idempotency.key,
            fingerprint=idempotency.fingerprint,
            status=0,
            headers=[],
            body=b"",
            created_at=idempotency.created_at,
        )
    )
    if inserted.rowcount == 0:
        raise _taken(connection, idempotency)
    result = verb(connection)
    answer = idempotency.render(result)
    connection.execute(
        update(table)
        .where(_is(idempotency))
        .values(status=answer.status, headers=[list(header) for header in answer.headers], body=answer.body)
    )
    return result


def _taken(connection: Connection, idempotency: Idempotency) -> Replayed | KeyReused:
    row = connection.execute(select(schema.idempotency).where(_is(idempotency))).one()
    if bytes(row.fingerprint) != idempotency.fingerprint:
        return KeyReused()
    return Replayed(Answer(row.status, bytes(row.body), tuple((name, value) for name, value in row.headers)))


def _is(idempotency: Idempotency) -> ColumnElement[bool]:
    table = schema.idempotency
    return and_(table.c.scope == idempotency.scope, table.c.key == idempotency.key)


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves a row alone whose key is there already; `rowcount` tells whether it inserted."""
    if connection.dialect.name == "mysql":
        return mysql_insert(table).prefix_with("IGNORE")
    return sqlite_insert(table).on_conflict_do_nothing()
