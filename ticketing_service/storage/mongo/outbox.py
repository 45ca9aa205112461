"""The outbox: what is to be done outside after a commit, the one active worker, and sweeping up."""

from __future__ import annotations

from datetime import datetime

from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.outbox import mongo
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.writing import Writer

_DOCUMENTS = mongo.OutboxDocuments(schema.outbox)
add_task = _DOCUMENTS.add_task
add_tasks = _DOCUMENTS.add_tasks


class MongoOutbox(mongo.MongoOutbox):
    """The `OutboxStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, writer: Writer) -> None:
        super().__init__(
            database,
            writer,
            _DOCUMENTS,
            outbox=schema.outbox,
            leases=schema.leases,
            idempotency=schema.idempotency,
        )

    def purge(self, now: datetime, limit: int) -> int:
        """Counters of guests that count nothing go, too."""
        return super().purge(now, limit) + self._write(lambda tx: _forget_counters(tx, limit))


def _forget_counters(tx: Transaction, limit: int) -> int:
    """A hold that begins to count on one of them changes it, and one of the two transactions loses."""
    counts_nothing = {"transient": True, "held": 0, "sold": 0}
    found = tx.find(schema.counters, counts_nothing, limit=limit, fields=["_id"])
    ids = [each["_id"] for each in found]
    claimed = tx.find(schema.bookings, {"claims.counter_id": {"$in": ids}}, fields=["claims"])
    in_use = {claim["counter_id"] for each in claimed for claim in each["claims"]}
    free = [each for each in ids if each not in in_use]
    return tx.delete(schema.counters, {"_id": {"$in": free}, **counts_nothing})
