"""All that a store holds about sales, read as plain rows in one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, select

from common.database.engine import Database
from ticketing_service.storage.sql import schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Rows by id where they have one, else in the order in which they were written."""

    counters: dict[UUID, Row[Any]]
    slot_counters: dict[UUID, list[UUID]]
    vouchers: dict[UUID, Row[Any]]
    claims: list[Row[Any]]
    bookings: dict[UUID, Row[Any]]
    items: dict[UUID, Row[Any]]
    units: list[Row[Any]]
    history: list[Row[Any]]
    payments: dict[UUID, Row[Any]]
    refunds: list[Row[Any]]
    admissions: list[Row[Any]]
    ledger: list[Row[Any]]
    idempotency: list[Row[Any]]


def read_facts(database: Database) -> Facts:
    """Everything, as of one moment."""
    with database.read() as connection:
        links: dict[UUID, list[UUID]] = defaultdict(list)
        for link in _rows(connection, schema.slot_counters):
            links[link.slot_id].append(link.counter_id)
        return Facts(
            counters=_by_id(_rows(connection, schema.counters)),
            slot_counters=links,
            vouchers=_by_id(_rows(connection, schema.vouchers)),
            claims=_rows(connection, schema.claims),
            bookings=_by_id(_rows(connection, schema.bookings)),
            items=_by_id(_rows(connection, schema.booking_items)),
            units=_rows(connection, schema.unit_items),
            history=sorted(_rows(connection, schema.history), key=lambda row: row.id),
            payments=_by_id(_rows(connection, schema.payments)),
            refunds=_rows(connection, schema.refunds),
            admissions=_rows(connection, schema.admissions),
            ledger=_rows(connection, schema.ledger),
            idempotency=_rows(connection, schema.idempotency),
        )


def _rows(connection: Connection, table: Table) -> list[Row[Any]]:
    return list(connection.execute(select(table)))


def _by_id(rows: Iterable[Row[Any]]) -> dict[UUID, Row[Any]]:
    return {row.id: row for row in rows}
