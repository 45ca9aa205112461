"""What tests ask of the database under a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from common.web.idempotency import Idempotency
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.records.entries import Entry

Row = Any
"""A row, with its columns as attributes."""

Tables = Mapping[str, Sequence[Row]]
"""Rows by table, as of one moment."""


class Beneath(Protocol):
    """The database under a store of the ticketing service."""

    kind: str

    def tables(self, *names: str) -> Tables:
        """All rows of the tables, as of one moment."""
        ...

    def add_tasks(
        self,
        tasks: Sequence[tuple[str, Mapping[str, Any]]],
        now: datetime,
        due_at: datetime | None = None,
    ) -> None:
        """Have something done, in a commit of its own; with `due_at` one task alone."""
        ...

    def add_entries(self, entries: Sequence[Entry]) -> None:
        """Write lines of the books."""
        ...

    def cancel_admissions(self, unit_item_ids: Sequence[UUID], at: datetime) -> None:
        """As a cancellation does."""
        ...

    def voucher(self, code: str) -> Voucher | None:
        """As a sale finds it."""
        ...

    def answered(self, idempotency: Idempotency) -> None:
        """Keep a blank answer under the key."""
        ...

    def miscount(self, counter_id: UUID) -> None:
        """One that is held becomes one that is sold, of the counter alone."""
        ...

    def end_leases(self, now: datetime) -> None:
        """No worker is the active one any more."""
        ...

    def worker_beat(self, at: datetime) -> None:
        """The last sign of life of the worker was then."""
        ...

    def rename_ticket(self, title: str) -> None:
        """The one ticket that there is has another title, and nobody is told."""
        ...

    def hurry(self, now: datetime) -> None:
        """Payments that are open, and tasks that wait, are due."""
        ...

    def close(self) -> None: ...
