"""The outbox: what is to be done outside after a commit, the one active worker, and sweeping up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, select

from common.database.engine import Database
from common.outbox import sql
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.writing import Writer

_counters, _claims = schema.counters, schema.claims

_ROWS = sql.OutboxRows(schema.outbox)
add_task = _ROWS.add_task
add_tasks = _ROWS.add_tasks


class SqlOutbox(sql.SqlOutbox):
    """The `OutboxStore` on an SQL database."""

    def __init__(self, database: Database, writer: Writer) -> None:
        super().__init__(
            database,
            writer,
            _ROWS,
            outbox=schema.outbox,
            leases=schema.leases,
            idempotency=schema.idempotency,
        )

    def purge(self, now: datetime, limit: int) -> int:
        """Counters of guests that count nothing go, too."""
        return super().purge(now, limit) + self._write(lambda connection: _forget_counters(connection, limit))


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
