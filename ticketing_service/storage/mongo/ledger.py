"""The ledger: what was captured, what of it was given back, and the sums of both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common.identifiers import uuid7
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import Document, ms
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.writing import Writer
from ticketing_service.storage.ports.ledger import RevenueQuery, RevenueRow
from ticketing_service.storage.records.entries import Entry, EntryKind, day_of

_GROUPS = {
    "day": "$day",
    "ticket": "$ticket_id",
    "type": "$ticket_type",
    "unit": "$unit_type",
    "channel": "$channel",
    "reseller": "$reseller_id",
}


def add_entries(tx: Transaction, entries: Sequence[Entry]) -> None:
    """Write the lines; nothing ever changes them."""
    tx.insert(schema.ledger, map(_document, entries))


def take_back_refunds(tx: Transaction, booking_id: UUID, now: datetime) -> None:
    """Cancel out, line by line, the refunds of a booking for which no money ever came."""
    refunds = {"booking_id": booking_id, "kind": EntryKind.REFUND.value}
    tx.insert(
        schema.ledger,
        [
            {
                **line,
                "_id": uuid7(),
                "at": ms(now),
                "day": day_of(now),
                "amount": -line["amount"],
                "commission": -line["commission"],
            }
            for line in tx.find(schema.ledger, refunds)
        ],
    )


def _document(entry: Entry) -> Document:
    return {
        "_id": uuid7(),
        "at": ms(entry.at),
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


class MongoLedger:
    """The `LedgerStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, writer: Writer) -> None:
        self._database = database

    def revenue(self, query: RevenueQuery) -> tuple[RevenueRow, ...]:
        """By key and currency. Fees belong to no ticket: grouped by ticket, type or unit their key is empty,
        and they are left out with a `ticket_id`. What no reseller sold has an empty key, too. `commission` is
        net of what refunds gave back.
        """
        wanted: Document = {"day": {"$gte": query.day_from.isoformat(), "$lte": query.day_to.isoformat()}}
        if query.ticket_id is not None:
            wanted["ticket_id"] = query.ticket_id
        if query.reseller_id is not None:
            wanted["reseller_id"] = query.reseller_id
        sale, fee, refund = ({"$eq": ["$kind", kind.value]} for kind in EntryKind)

        def total(condition: Any, value: Any, otherwise: Any = 0) -> Document:
            return {"$sum": {"$cond": [condition, value, otherwise]}}

        of_booking = {"booking": "$booking_id", "key": _GROUPS[query.group_by], "currency": "$currency"}
        sums = {
            "units": total(sale, 1),
            "sales": total(sale, "$amount"),
            "fees": total(fee, "$amount"),
            "refunds": total(refund, "$amount"),
            "commission": total(refund, {"$multiply": ["$commission", -1]}, "$commission"),
        }
        # by booking first: how many there are is counted, and not gathered into one list of them all
        stages = [
            {"$match": wanted},
            {"$group": {"_id": of_booking, **sums}},
            {
                "$group": {
                    "_id": {"key": "$_id.key", "currency": "$_id.currency"},
                    "bookings": {"$sum": {"$cond": [{"$gt": ["$units", 0]}, 1, 0]}},
                    **{name: {"$sum": f"${name}"} for name in sums},
                }
            },
        ]
        with self._database.read() as reading:
            found = reading.aggregate(schema.ledger, stages)
        rows = (
            RevenueRow(
                key="" if each["_id"].get("key") is None else str(each["_id"]["key"]),
                currency=each["_id"]["currency"],
                **{name: int(each[name]) for name in ("bookings", *sums)},
            )
            for each in found
        )
        return tuple(sorted(rows, key=lambda row: (row.key, row.currency)))
