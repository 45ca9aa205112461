"""The outbox on an SQL database: what is to be done outside after a commit, and the one active worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, and_, case, delete, func, insert, or_, select, update

from common.database.engine import Database
from common.database.inserting import insert_new
from common.database.keyset import id_cursor, page_from
from common.database.prepared import Prepared, Target
from common.database.writing import Write, trace_of
from common.identifiers import uuid7
from common.outbox.port import DeadTask, StoredTask, TaskCount
from common.outbox.rules import ANSWERS_KEPT, ERROR_LENGTH, WORKER
from common.pages import Page
from common.web.idempotency import Idempotency


class OutboxRows:
    """The tasks in `table` (see `common.database.tables.outbox_table`), added by whoever writes."""

    def __init__(self, table: Table) -> None:
        columns = ("id", "kind", "payload", "attempts", "due_at", "created_at", "traceparent")
        self._insert = Prepared(insert(table), columns=columns)

    def add_task(
        self,
        connection: Connection,
        kind: str,
        payload: Mapping[str, Any],
        now: datetime,
        due_at: datetime | None = None,
    ) -> None:
        """Have something done once this transaction is committed, and not before `due_at`; `payload` is
        JSON.
        """
        self._add(connection, [(kind, payload)], now, due_at or now)

    def add_tasks(
        self, target: Target, tasks: Sequence[tuple[str, Mapping[str, Any]]], now: datetime
    ) -> None:
        """`add_task` for several pairs of kind and payload, in one statement."""
        self._add(target, tasks, now, now)

    def _add(
        self,
        target: Target,
        tasks: Sequence[tuple[str, Mapping[str, Any]]],
        now: datetime,
        due_at: datetime,
    ) -> None:
        rows = [
            {
                "id": uuid7(),
                "kind": kind,
                "payload": dict(payload),
                "attempts": 0,
                "due_at": due_at,
                "created_at": now,
                "traceparent": trace_of(target),
            }
            for kind, payload in tasks
        ]
        self._insert.run_all(target, rows)


class SqlOutbox:
    """The outbox of a service: its tables `outbox`, `leases` and `idempotency`, and the rows it is added to
    by.
    """

    def __init__(
        self,
        database: Database,
        write: Write,
        rows: OutboxRows,
        *,
        outbox: Table,
        leases: Table,
        idempotency: Table,
    ) -> None:
        self._database, self._write, self._rows = database, write, rows
        self._outbox, self._leases, self._idempotency = outbox, leases, idempotency

    def claim(self, now: datetime, lease_until: datetime, limit: int) -> tuple[StoredTask, ...]:
        """Due tasks, leased to the caller until `lease_until`; oldest first. `attempts` counts this claim
        in.
        """
        table = self._outbox
        due = (
            select(table)
            .where(table.c.due_at <= now)
            .order_by(table.c.due_at, table.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

        def verb(connection: Connection) -> tuple[StoredTask, ...]:
            rows = connection.execute(due).all()
            connection.execute(
                update(table)
                .where(table.c.id.in_([row.id for row in rows]))
                .values(due_at=lease_until, attempts=table.c.attempts + 1)
            )
            return tuple(
                StoredTask(
                    id=row.id,
                    kind=row.kind,
                    payload=row.payload,
                    attempts=row.attempts + 1,
                    created_at=row.created_at,
                    traceparent=row.traceparent,
                )
                for row in rows
            )

        return self._write(verb)

    def done(self, task_id: UUID) -> None:
        """The task is done: its row goes."""
        statement = delete(self._outbox).where(self._outbox.c.id == task_id)
        self._write(lambda connection: connection.execute(statement))

    def failed(self, task_id: UUID, error: str, retry_at: datetime | None) -> None:
        """Try again at `retry_at`; None gives the task up and keeps it as dead."""
        statement = (
            update(self._outbox)
            .where(self._outbox.c.id == task_id)
            .values(due_at=retry_at, last_error=error[:ERROR_LENGTH])
        )
        self._write(lambda connection: connection.execute(statement))

    def add(
        self,
        kind: str,
        payload: Mapping[str, Any],
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> None:
        """Have something done."""
        self._write(lambda connection: self._rows.add_task(connection, kind, payload, now), idempotency)

    def depth(self, now: datetime) -> tuple[int, float]:
        """Tasks that wait, and the age of the oldest in seconds. Counts tasks that are due, leased or to be
        tried again; one whose time has not come is not late.
        """
        table = self._outbox
        late = or_(table.c.due_at <= now, and_(table.c.due_at.is_not(None), table.c.attempts > 0))
        with self._database.read() as connection:
            count, oldest = connection.execute(
                select(func.count(), func.min(table.c.created_at)).select_from(table).where(late)
            ).one()
        return count, 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())

    def by_kind(self) -> tuple[TaskCount, ...]:
        """How many tasks of each kind wait, and how many were given up."""
        table = self._outbox
        given_up = func.sum(case((table.c.due_at.is_(None), 1), else_=0))
        statement = select(table.c.kind, func.count(), given_up).group_by(table.c.kind).order_by(table.c.kind)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return tuple(TaskCount(kind, count - int(dead), int(dead)) for kind, count, dead in rows)

    def given_up(self, limit: int, cursor: str | None) -> Page[DeadTask]:
        """Those that were given up, the newest first."""
        table = self._outbox
        statement = select(table).where(table.c.due_at.is_(None)).order_by(table.c.id.desc()).limit(limit + 1)
        if cursor is not None:
            statement = statement.where(table.c.id < id_cursor(cursor))
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        tasks = [
            DeadTask(
                id=row.id,
                kind=row.kind,
                attempts=row.attempts,
                error=row.last_error or "",
                created_at=row.created_at,
            )
            for row in rows
        ]
        return page_from(tasks, limit, lambda task: (str(task.id),))

    def revive(self, task_id: UUID, now: datetime) -> bool:
        """Try one again that was given up; False when there is none."""
        table = self._outbox
        statement = (
            update(table)
            .where(table.c.id == task_id, table.c.due_at.is_(None))
            .values(due_at=now, attempts=0)
        )
        return self._write(lambda connection: connection.execute(statement).rowcount) == 1

    def beat(self, owner: str, now: datetime, lease_until: datetime) -> bool:
        """Be, or stay, the one active worker. False while another one's lease runs. Records the heartbeat."""
        table = self._leases
        values = {"owner": owner, "until": lease_until, "beat_at": now}
        free = or_(table.c.owner == owner, table.c.until <= now)

        def verb(connection: Connection) -> bool:
            made = connection.execute(insert_new(connection, table).values(name=WORKER, **values))
            if made.rowcount == 1:
                return True
            kept = connection.execute(update(table).where(table.c.name == WORKER, free).values(**values))
            return kept.rowcount == 1

        return self._write(verb)

    def heartbeat(self) -> datetime | None:
        """When the active worker last gave a sign of life."""
        with self._database.read() as connection:
            return connection.scalar(select(self._leases.c.beat_at).where(self._leases.c.name == WORKER))

    def purge(self, now: datetime, limit: int) -> int:
        """Forget up to `limit` answers older than 48 hours; says how many."""
        return self._write(lambda connection: self._forget_answers(connection, now, limit))

    def _forget_answers(self, connection: Connection, now: datetime, limit: int) -> int:
        made = self._idempotency.c.created_at
        old = made < now - ANSWERS_KEPT
        # up to the creation of the last one of the chunk: portable, as not every database can limit a DELETE
        chunk = select(made).where(old).order_by(made).limit(limit).subquery()
        last = connection.scalar(select(func.max(chunk.c.created_at)))
        if last is None:
            return 0
        return connection.execute(delete(self._idempotency).where(made <= last)).rowcount
