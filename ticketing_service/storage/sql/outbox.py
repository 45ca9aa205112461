"""The outbox: what is to be done outside after a commit, the one active worker, and sweeping up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, delete, exists, func, insert, or_, select, update

from common.database.engine import Database
from common.database.prepared import Prepared
from common.identifiers import uuid7
from common.web.idempotency import Idempotency
from ticketing_service.storage.port import Task
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.writing import Writer, insert_new

_outbox, _leases = schema.outbox, schema.leases
_idempotency, _counters, _claims = schema.idempotency, schema.counters, schema.claims

_INSERT = Prepared(insert(_outbox), columns=("id", "kind", "payload", "attempts", "due_at", "created_at"))
ANSWERS_KEPT = timedelta(hours=48)
ERROR_LENGTH = 500
WORKER = "worker"
"""The name of the lease that the active worker holds."""


def add_task(
    connection: Connection,
    kind: str,
    payload: Mapping[str, Any],
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """Have something done once this transaction is committed, and not before `due_at`; `payload` is JSON."""
    _insert(connection, [(kind, payload)], now, due_at or now)


def add_tasks(connection: Connection, tasks: Sequence[tuple[str, Mapping[str, Any]]], now: datetime) -> None:
    """`add_task` for several pairs of kind and payload, in one statement."""
    _insert(connection, tasks, now, now)


def _insert(
    connection: Connection, tasks: Sequence[tuple[str, Mapping[str, Any]]], now: datetime, due_at: datetime
) -> None:
    rows = [
        {
            "id": uuid7(),
            "kind": kind,
            "payload": dict(payload),
            "attempts": 0,
            "due_at": due_at,
            "created_at": now,
        }
        for kind, payload in tasks
    ]
    _INSERT.run_all(connection, rows)


class SqlOutbox:
    """The `OutboxStore` on an SQL database."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database, self._write = database, writer

    def claim(self, now: datetime, lease_until: datetime, limit: int) -> tuple[Task, ...]:
        """`attempts` counts this claim in."""
        due = (
            select(_outbox)
            .where(_outbox.c.due_at <= now)
            .order_by(_outbox.c.due_at, _outbox.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

        def verb(connection: Connection) -> tuple[Task, ...]:
            rows = connection.execute(due).all()
            connection.execute(
                update(_outbox)
                .where(_outbox.c.id.in_([row.id for row in rows]))
                .values(due_at=lease_until, attempts=_outbox.c.attempts + 1)
            )
            return tuple(
                Task(
                    id=row.id,
                    kind=row.kind,
                    payload=row.payload,
                    attempts=row.attempts + 1,
                    created_at=row.created_at,
                )
                for row in rows
            )

        return self._write(verb)

    def done(self, task_id: UUID) -> None:
        self._write(lambda connection: connection.execute(delete(_outbox).where(_outbox.c.id == task_id)))

    def failed(self, task_id: UUID, error: str, retry_at: datetime | None) -> None:
        statement = (
            update(_outbox)
            .where(_outbox.c.id == task_id)
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
        self._write(lambda connection: add_task(connection, kind, payload, now), idempotency)

    def depth(self, now: datetime) -> tuple[int, float]:
        """Counts tasks that are due, leased or to be tried again; one whose time has not come is not late."""
        late = or_(_outbox.c.due_at <= now, and_(_outbox.c.due_at.is_not(None), _outbox.c.attempts > 0))
        with self._database.read() as connection:
            count, oldest = connection.execute(
                select(func.count(), func.min(_outbox.c.created_at)).select_from(_outbox).where(late)
            ).one()
        return count, 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())

    def beat(self, owner: str, now: datetime, lease_until: datetime) -> bool:
        values = {"owner": owner, "until": lease_until, "beat_at": now}
        free = or_(_leases.c.owner == owner, _leases.c.until <= now)

        def verb(connection: Connection) -> bool:
            made = connection.execute(insert_new(connection, _leases).values(name=WORKER, **values))
            if made.rowcount == 1:
                return True
            kept = connection.execute(update(_leases).where(_leases.c.name == WORKER, free).values(**values))
            return kept.rowcount == 1

        return self._write(verb)

    def heartbeat(self) -> datetime | None:
        with self._database.read() as connection:
            return connection.scalar(select(_leases.c.beat_at).where(_leases.c.name == WORKER))

    def purge(self, now: datetime, limit: int) -> int:
        return self._write(lambda connection: _forget_answers(connection, now, limit)) + self._write(
            lambda connection: _forget_counters(connection, limit)
        )


def _forget_answers(connection: Connection, now: datetime, limit: int) -> int:
    made = _idempotency.c.created_at
    old = made < now - ANSWERS_KEPT
    # up to the creation of the last one of the chunk: portable, as not every database can limit a DELETE
    chunk = select(made).where(old).order_by(made).limit(limit).subquery()
    last = connection.scalar(select(func.max(chunk.c.created_at)))
    if last is None:
        return 0
    return connection.execute(delete(_idempotency).where(made <= last)).rowcount


def _forget_counters(connection: Connection, limit: int) -> int:
    counts_nothing = and_(
        _counters.c.transient.is_(True),
        _counters.c.held == 0,
        _counters.c.sold == 0,
        ~exists().where(_claims.c.counter_id == _counters.c.id),
    )
    ids = connection.scalars(select(_counters.c.id).where(counts_nothing).limit(limit)).all()
    # asked once more: a hold may have begun to count on one of them since
    return connection.execute(delete(_counters).where(_counters.c.id.in_(ids), counts_nothing)).rowcount
