"""The tables under an SQL store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from common.database.engine import Database
from common.web.idempotency import Idempotency
from tests.beneath.port import Tables
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.records.entries import Entry
from ticketing_service.storage.sql import admissions, ledger, outbox, schema, vouchers


class SqlBeneath:
    """`Beneath` on SQLite, MySQL or MariaDB; `database` is open for more."""

    def __init__(self, url: str) -> None:
        self.database = Database(url, threads=2)
        self.kind = self.database.kind

    def tables(self, *names: str) -> Tables:
        """See Beneath."""
        with self.database.read() as connection:
            return {
                name: connection.execute(select(schema.metadata.tables[schema.PREFIX + name])).all()
                for name in names
            }

    def add_tasks(
        self,
        tasks: Sequence[tuple[str, Mapping[str, Any]]],
        now: datetime,
        due_at: datetime | None = None,
    ) -> None:
        """See Beneath."""
        if due_at is None:
            self.database.write(lambda connection: outbox.add_tasks(connection, tasks, now))
            return
        ((kind, payload),) = tasks
        self.database.write(lambda connection: outbox.add_task(connection, kind, payload, now, due_at))

    def add_entries(self, entries: Sequence[Entry]) -> None:
        """See Beneath."""
        self.database.write(lambda connection: ledger.add_entries(connection, entries))

    def cancel_admissions(self, unit_item_ids: Sequence[UUID], at: datetime) -> None:
        """See Beneath."""
        self.database.write(lambda connection: admissions.cancel_admissions(connection, unit_item_ids, at))

    def voucher(self, code: str) -> Voucher | None:
        """See Beneath."""
        with self.database.read() as connection:
            return vouchers.voucher_in(connection, code)

    def answered(self, idempotency: Idempotency) -> None:
        """See Beneath."""
        row = {
            "scope": idempotency.scope,
            "key": idempotency.key,
            "fingerprint": idempotency.fingerprint,
            "status": 200,
            "headers": [],
            "body": b"",
            "created_at": idempotency.created_at,
        }
        self._execute(insert(schema.idempotency).values(**row))

    def miscount(self, counter_id: UUID) -> None:
        """See Beneath."""
        counters = schema.counters
        wrong = {"held": counters.c.held - 1, "sold": counters.c.sold + 1}
        self._execute(update(counters).where(counters.c.id == counter_id).values(wrong))

    def end_leases(self, now: datetime) -> None:
        """See Beneath."""
        self._execute(update(schema.leases).values(until=now))

    def worker_beat(self, at: datetime) -> None:
        """See Beneath."""
        self._execute(update(schema.leases).values(beat_at=at))

    def rename_ticket(self, title: str) -> None:
        """See Beneath."""
        tickets = schema.tickets
        with self.database.read() as connection:
            body = connection.execute(select(tickets.c.body)).scalar_one()
        self._execute(update(tickets).values(body={**body, "title": {"en": title}}))

    def hurry(self, now: datetime) -> None:
        """See Beneath."""
        payments, tasks = schema.payments, schema.outbox
        is_open = payments.c.next_look_at.is_not(None)
        self._execute(update(payments).where(is_open).values(next_look_at=now))
        self._execute(update(tasks).where(tasks.c.due_at.is_not(None)).values(due_at=now))

    def close(self) -> None:
        """See Beneath."""
        self.database.close()

    def _execute(self, statement: Any) -> None:
        self.database.write(lambda connection: connection.execute(statement))
