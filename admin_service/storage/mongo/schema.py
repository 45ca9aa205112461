"""The collections that all others stand on. Those of an aggregate are beside it, made by `collections`."""

from __future__ import annotations

from common.mongo.collections import (
    BYTES,
    INSTANT,
    INTEGER,
    Collections,
    idempotency_collection,
    index,
    leases_collection,
    or_null,
    outbox_collection,
    text,
)

PREFIX = "admin_"

collections = Collections(PREFIX)

outbox = outbox_collection(collections)
idempotency = idempotency_collection(collections)
leases = leases_collection(collections)

ONLY = 1
"""The id of the document of a collection that has one."""

audit = collections(
    "audit",
    {
        # its number; only ever added to, and each holds the hash of the one before it. What names somebody
        # can be erased, with its salt: the chain holds its digest
        "_id": INTEGER,
        "at": INSTANT,
        "actor": text(160),
        "address": or_null(text(45)),
        "address_salt": or_null(BYTES),
        "address_digest": or_null(BYTES),
        "request_id": or_null(text(64)),
        "action": text(60),
        "subject": text(160),
        # JSON texts: what was hashed has to come back to the letter
        "before": {"bsonType": "string"},
        "after": {"bsonType": "string"},
        "personal": or_null({"bsonType": "string"}),
        "personal_salt": or_null(BYTES),
        "personal_digest": or_null(BYTES),
        "previous_hash": BYTES,
        "hash": BYTES,
    },
    index("at", "at", "_id"),
    index("action", "action", "at"),
    index("subject", "subject", "_id"),
    index("actor", "actor", "_id"),
)

audit_head = collections(
    "audit_head",
    # one document, the end of the chain: who adds to the chain changes it
    {"_id": INTEGER, "number": INTEGER, "hash": BYTES},
)
