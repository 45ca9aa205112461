"""The tables that everything stands on. Those of an aggregate are beside it, made by `table` as well.

Migrations bring a database to this shape; a test holds the two equal.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String

from common.database.tables import Tables, idempotency_table, leases_table, outbox_table
from common.database.types import Instant, Json

PREFIX = "admin_"
VERSION_TABLE = f"{PREFIX}alembic_version"

table = Tables(PREFIX)
metadata = table.metadata

outbox = outbox_table(table)
idempotency = idempotency_table(table)
leases = leases_table(table)

audit = table(
    "audit",
    # only ever added to; each row holds the hash of the one before it. What names somebody can be erased,
    # with its salt: the chain holds its digest
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(160), nullable=False),
    Column("address", String(45)),
    Column("address_salt", LargeBinary(16)),
    Column("address_digest", LargeBinary(32)),
    Column("request_id", String(64)),
    Column("action", String(60), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("before", Json, nullable=False),
    Column("after", Json, nullable=False),
    Column("personal", Json),
    Column("personal_salt", LargeBinary(16)),
    Column("personal_digest", LargeBinary(32)),
    Column("previous_hash", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Index("ix_admin_audit_at", "at"),
    Index("ix_admin_audit_subject", "subject", "number"),
    Index("ix_admin_audit_actor", "actor", "number"),
)

audit_head = table(
    "audit_head",
    # one row, the end of the chain: who adds to the chain holds it
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)
