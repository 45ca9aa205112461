"""The outbox: what is to be done outside after a commit, the one active worker, and sweeping up."""

from __future__ import annotations

from admin_service.storage.mongo import schema
from common.mongo.database import MongoDatabase
from common.mongo.writing import Write
from common.outbox import mongo

_DOCUMENTS = mongo.OutboxDocuments(schema.outbox)
add_task = _DOCUMENTS.add_task


class MongoOutbox(mongo.MongoOutbox):
    """The `OutboxStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, write: Write) -> None:
        super().__init__(
            database,
            write,
            _DOCUMENTS,
            outbox=schema.outbox,
            leases=schema.leases,
            idempotency=schema.idempotency,
        )
