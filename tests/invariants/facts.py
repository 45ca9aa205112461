"""All that a store holds about sales, read as plain rows in one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from tests.beneath import Beneath, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Rows by id where they have one, else in the order in which they were written."""

    counters: dict[UUID, Row]
    slot_counters: dict[UUID, list[UUID]]
    vouchers: dict[UUID, Row]
    claims: list[Row]
    bookings: dict[UUID, Row]
    items: dict[UUID, Row]
    units: list[Row]
    history: list[Row]
    payments: dict[UUID, Row]
    refunds: list[Row]
    admissions: list[Row]
    ledger: list[Row]
    idempotency: list[Row]


_NAMES = (
    "capacity_counters",
    "slot_counters",
    "vouchers",
    "claims",
    "bookings",
    "booking_items",
    "unit_items",
    "booking_history",
    "payments",
    "refunds",
    "admissions",
    "ledger",
    "idempotency",
)


def read_facts(database: Beneath) -> Facts:
    """Everything, as of one moment."""
    tables = {name: list(rows) for name, rows in database.tables(*_NAMES).items()}
    links: dict[UUID, list[UUID]] = defaultdict(list)
    for link in tables["slot_counters"]:
        links[link.slot_id].append(link.counter_id)
    return Facts(
        counters=_by_id(tables["capacity_counters"]),
        slot_counters=links,
        vouchers=_by_id(tables["vouchers"]),
        claims=tables["claims"],
        bookings=_by_id(tables["bookings"]),
        items=_by_id(tables["booking_items"]),
        units=tables["unit_items"],
        history=sorted(tables["booking_history"], key=lambda row: row.id),
        payments=_by_id(tables["payments"]),
        refunds=tables["refunds"],
        admissions=tables["admissions"],
        ledger=tables["ledger"],
        idempotency=tables["idempotency"],
    )


def _by_id(rows: Iterable[Row]) -> dict[UUID, Row]:
    return {row.id: row for row in rows}
