"""How each entity that is moved lies in the tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.database import migrations
from common.database.engine import Database
from common.transfer.documents import Document
from common.transfer.port import Side
from common.transfer.sql import SqlSide
from common.transfer.sql_rows import Rows
from ticketing_service.storage.sql import checking, schema

_MIGRATIONS = Path(__file__).with_name("migrations")


def open_side(url: str, *, writable: bool) -> Side:
    """The database as one that is moved from or to."""
    return SqlSide(url, LAYOUT, writable=writable)


def is_current(url: str) -> bool:
    """Whether the database has the shape that this code expects. Raises `StoreUnavailable`."""
    database = Database(url, threads=1)
    try:
        return migrations.is_current(database, _MIGRATIONS, schema.VERSION_TABLE)
    finally:
        database.close()


def violations(url: str) -> list[str]:
    """A line for each invariant of the business that the database breaks. Raises `StoreUnavailable`."""
    side = SqlSide(url, LAYOUT, writable=False)
    try:
        return list(checking.violations(side))
    finally:
        side.close()


def _of_booking(root: Document, parent: Document, item: Any, position: int) -> Mapping[str, Any]:
    return {"booking_id": root["id"]}


def _nth_of_booking(root: Document, parent: Document, item: Any, position: int) -> Mapping[str, Any]:
    return {"booking_id": root["id"], "position": position}


def _unit(root: Document, parent: Document, item: Any, position: int) -> Mapping[str, Any]:
    # units are counted through the whole booking
    before = 0
    for each in root["items"]:
        if each is parent:
            break
        before += len(each["units"])
    return {"booking_id": root["id"], "item_id": parent["id"], "position": before + position}


def _part(table: Any, field: str, order: tuple[str, ...] = ("id",)) -> Rows:
    return Rows(
        table=table,
        field=field,
        key=("booking_id",),
        order=order,
        without=("booking_id",),
        fill=_of_booking,
    )


BOOKINGS = Rows(
    table=schema.bookings,
    parts=(
        Rows(
            table=schema.booking_items,
            field="items",
            key=("booking_id",),
            order=("position",),
            without=("booking_id", "position"),
            fill=_nth_of_booking,
            parts=(
                Rows(
                    table=schema.unit_items,
                    field="units",
                    key=("item_id",),
                    root=("booking_id",),
                    order=("position",),
                    without=("booking_id", "item_id", "position"),
                    fill=_unit,
                ),
            ),
        ),
        _part(schema.claims, "claims", ("counter_id", "item_id")),
        _part(schema.history, "history"),
        _part(schema.payments, "payments"),
        _part(schema.refunds, "refunds"),
        _part(schema.admissions, "admissions"),
    ),
)

LAYOUT: Mapping[str, Rows] = {
    "pois": Rows(table=schema.pois),
    "tickets": Rows(
        table=schema.tickets,
        parts=(
            Rows(
                table=schema.ticket_words,
                field="words",
                key=("ticket_id",),
                order=("word",),
                only="word",
                fill=lambda root, parent, item, position: {"ticket_id": root["id"]},
            ),
        ),
    ),
    "schedules": Rows(table=schema.schedules, key=("ticket_id",)),
    "counters": Rows(table=schema.counters),
    "slots": Rows(
        table=schema.slots,
        parts=(
            Rows(
                table=schema.slot_counters,
                field="counter_ids",
                key=("slot_id",),
                order=("counter_id",),
                only="counter_id",
                fill=lambda root, parent, item, position: {"slot_id": root["id"]},
            ),
        ),
    ),
    "vouchers": Rows(table=schema.vouchers),
    "resellers": Rows(table=schema.resellers),
    "reseller_keys": Rows(table=schema.reseller_keys),
    "webhook_subscriptions": Rows(table=schema.webhook_subscriptions),
    "bookings": BOOKINGS,
    "redemptions": Rows(table=schema.redemptions, key=("admission_id", "entry_key")),
    "documents": Rows(table=schema.documents, key=("booking_id",), unstamped=("pdf",)),
    "ledger": Rows(table=schema.ledger),
    "outbox": Rows(table=schema.outbox),
    "webhook_events": Rows(table=schema.webhook_events),
    "webhook_deliveries": Rows(table=schema.webhook_deliveries),
    "idempotency": Rows(table=schema.idempotency, key=("scope", "key"), unstamped=("body",)),
    "platform": Rows(table=schema.platform),
}
