"""One write: a verb, and the idempotency row that is committed with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Table, and_, bindparam, select, update

from common.database.engine import Database
from common.database.inserting import insert_new_on
from common.database.prepared import Prepared, Script, Target
from common.monitoring import tracing
from common.web.idempotency import Answer, Idempotency, KeyReused, Replayed, about

T = TypeVar("T")

_TRACE = "traceparent"
_NONE_YET = Answer(0, b"", ())


class Write(Protocol):
    """Runs a verb in one commit, once under its idempotency key."""

    def __call__(self, verb: Callable[[Connection], T], idempotency: Idempotency | None = None) -> T:
        """Raises what the verb raises, `Replayed`, `KeyReused` or `StoreUnavailable`."""
        ...


class Writer:
    """`Write` on a database."""

    def __init__(self, database: Database, rows: IdempotencyRows) -> None:
        self._database, self._rows = database, rows

    def __call__(self, verb: Callable[[Connection], T], idempotency: Idempotency | None = None) -> T:
        """See Write."""
        trace = tracing.for_later()

        def traced(connection: Connection) -> T:
            # In the thread of whoever leads the group, who works for another request.
            connection.info[_TRACE] = trace
            return verb(connection) if idempotency is None else self._rows.once(connection, verb, idempotency)

        return self._database.write(traced)

    def script(self) -> Script:
        """For what a verb is going to write, made in the present request's thread before its turn."""
        script = Script(self._database.dialect)
        script.info[_TRACE] = tracing.for_later()
        return script


def trace_of(target: Target) -> str | None:
    """The traceparent of the request whose verb runs on a connection, or is written down in a script."""
    found: str | None = target.info.get(_TRACE)
    return found


class IdempotencyRows:
    """The answers that are kept in `table` (see `common.database.tables.idempotency_table`)."""

    def __init__(self, table: Table) -> None:
        is_it = and_(table.c.scope == bindparam("in_scope"), table.c.key == bindparam("under_key"))
        self._begin = Prepared(lambda dialect: insert_new_on(dialect, table))
        self._found = Prepared(select(table).where(is_it))
        self._answer = Prepared(
            update(table)
            .where(is_it)
            .values(
                status=bindparam("to_status"),
                headers=bindparam("to_headers"),
                body=bindparam("to_body"),
                about=bindparam("to_about"),
            )
        )

    def once(self, connection: Connection, verb: Callable[[Connection], T], idempotency: Idempotency) -> T:
        """Run `verb` and keep its answer. Raises Replayed or KeyReused when the key is taken."""
        foreseen, kept = idempotency.foreseen or (None, _NONE_YET)
        # the row goes in first: of two requests under one key the second waits here until the first is
        # decided
        inserted = self._begin.run(
            connection,
            scope=idempotency.scope,
            key=idempotency.key,
            fingerprint=idempotency.fingerprint,
            created_at=idempotency.created_at,
            **_columns(kept, foreseen),
        )
        if inserted == 0:
            raise self._taken(connection, idempotency)
        result = verb(connection)
        answer = idempotency.answer(result)
        if answer is not kept:
            columns = _columns(answer, result)
            own = {"in_scope": idempotency.scope, "under_key": idempotency.key}
            self._answer.run(connection, **own, **{f"to_{name}": value for name, value in columns.items()})
        return result

    def _taken(self, connection: Connection, idempotency: Idempotency) -> Replayed | KeyReused:
        row = self._found.row(connection, in_scope=idempotency.scope, under_key=idempotency.key)
        assert row is not None  # noqa: S101 the insert has just found it
        if bytes(row.fingerprint) != idempotency.fingerprint:
            return KeyReused()
        headers = tuple((name, value) for name, value in row.headers)
        return Replayed(Answer(row.status, bytes(row.body), headers))


def _columns(answer: Answer, result: Any) -> dict[str, Any]:
    return {
        "status": answer.status,
        "headers": [list(header) for header in answer.headers],
        "body": answer.body,
        "about": about(result),
    }
