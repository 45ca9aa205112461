"""The ledger: what was captured, what of it was given back, and the sums of both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, case, distinct, func, insert, select

from common.database.engine import Database
from common.database.prepared import Prepared, Target
from common.identifiers import uuid7
from ticketing_service.storage.ports.ledger import RevenueQuery, RevenueRow
from ticketing_service.storage.records.entries import Entry, EntryKind, day_of
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.writing import Writer

_ledger = schema.ledger
_GROUPS: dict[str, Column[Any]] = {
    "day": _ledger.c.day,
    "ticket": _ledger.c.ticket_id,
    "type": _ledger.c.ticket_type,
    "unit": _ledger.c.unit_type,
    "channel": _ledger.c.channel,
    "reseller": _ledger.c.reseller_id,
}


_INSERT = Prepared(insert(_ledger))


def add_entries(target: Target, entries: Sequence[Entry]) -> None:
    """Write the lines; nothing ever changes them."""
    _INSERT.run_all(target, map(_row, entries))


def take_back_refunds(connection: Connection, booking_id: UUID, now: datetime) -> None:
    """Cancel out, line by line, the refunds of a booking for which no money ever came."""
    refunds = (_ledger.c.booking_id == booking_id, _ledger.c.kind == EntryKind.REFUND.value)
    _INSERT.run_all(
        connection,
        [
            {
                **line._mapping,  # noqa: SLF001
                "id": uuid7(),
                "at": now,
                "day": day_of(now),
                "amount": -line.amount,
                "commission": -line.commission,
            }
            for line in connection.execute(select(_ledger).where(*refunds))
        ],
    )


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "at": entry.at,
        "day": day_of(entry.at),
        "kind": entry.kind.value,
        "booking_id": entry.booking_id,
        "unit_item_id": entry.unit_item_id,
        "ticket_id": entry.ticket_id,
        "ticket_type": entry.ticket_type and entry.ticket_type.value,
        "unit_type": entry.unit_type and entry.unit_type.value,
        "channel": entry.channel.value,
        "reseller_id": entry.reseller_id,
        "currency": entry.currency,
        "amount": entry.amount,
        "commission": entry.commission,
    }


class SqlLedger:
    """The `LedgerStore` on an SQL database."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database

    def revenue(self, query: RevenueQuery) -> tuple[RevenueRow, ...]:
        """By key and currency. Fees belong to no ticket: grouped by ticket, type or unit their key is empty,
        and they are left out with a `ticket_id`. What no reseller sold has an empty key, too. `commission` is
        net of what refunds gave back.
        """
        group = _GROUPS[query.group_by]
        sale, fee, refund = (_ledger.c.kind == kind.value for kind in EntryKind)

        def total(condition: Any, value: Any) -> Any:
            # MariaDB answers a sum as a decimal; int() below brings it back
            return func.coalesce(func.sum(case((condition, value), else_=0)), 0)

        statement = (
            select(
                group.label("key"),
                _ledger.c.currency,
                func.count(distinct(case((sale, _ledger.c.booking_id)))).label("bookings"),
                total(sale, 1).label("units"),
                total(sale, _ledger.c.amount).label("sales"),
                total(fee, _ledger.c.amount).label("fees"),
                total(refund, _ledger.c.amount).label("refunds"),
                total(refund, -_ledger.c.commission).label("given_back"),
                total(~refund, _ledger.c.commission).label("commission"),
            )
            .where(_ledger.c.day.between(query.day_from.isoformat(), query.day_to.isoformat()))
            .group_by(group, _ledger.c.currency)
        )
        if query.ticket_id is not None:
            statement = statement.where(_ledger.c.ticket_id == query.ticket_id)
        if query.reseller_id is not None:
            statement = statement.where(_ledger.c.reseller_id == query.reseller_id)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        found = (
            RevenueRow(
                key="" if row.key is None else str(row.key),
                currency=row.currency,
                bookings=row.bookings,
                units=int(row.units),
                sales=int(row.sales),
                fees=int(row.fees),
                refunds=int(row.refunds),
                commission=int(row.commission + row.given_back),
            )
            for row in rows
        )
        return tuple(sorted(found, key=lambda row: (row.key, row.currency)))
