"""The outbox: what is to be done outside after a commit, the one active worker, and sweeping up."""

from __future__ import annotations

from admin_service.storage.sql import schema
from common.database.engine import Database
from common.database.writing import Write
from common.outbox import sql

_ROWS = sql.OutboxRows(schema.outbox)
add_task = _ROWS.add_task
add_tasks = _ROWS.add_tasks


class SqlOutbox(sql.SqlOutbox):
    """The `OutboxStore` on an SQL database."""

    def __init__(self, database: Database, write: Write) -> None:
        super().__init__(
            database,
            write,
            _ROWS,
            outbox=schema.outbox,
            leases=schema.leases,
            idempotency=schema.idempotency,
        )
