"""What keeps the service going, and the audit trail."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import LONGBLOB

from common.database.types import Identifier, Instant, Json

revision = "0001"
down_revision = None

OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_row_format": "DYNAMIC",
}
BLOB = sa.LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "admin_outbox",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", Instant),
        sa.Column("last_error", sa.String(500)),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("traceparent", sa.String(55)),
        **OPTIONS,
    )
    op.create_index("ix_admin_outbox_due", "admin_outbox", ["due_at", "id"])
    op.create_table(
        "admin_idempotency",
        sa.Column("scope", sa.String(200), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("headers", Json, nullable=False),
        sa.Column("body", BLOB, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("about", Identifier),
        **OPTIONS,
    )
    op.create_index("ix_admin_idempotency_created", "admin_idempotency", ["created_at"])
    op.create_index("ix_admin_idempotency_about", "admin_idempotency", ["about"])
    op.create_table(
        "admin_leases",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("until", Instant, nullable=False),
        sa.Column("beat_at", Instant, nullable=False),
        **OPTIONS,
    )
    op.create_table(
        "admin_audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor", sa.String(160), nullable=False),
        sa.Column("address", sa.String(45)),
        sa.Column("address_salt", sa.LargeBinary(16)),
        sa.Column("address_digest", sa.LargeBinary(32)),
        sa.Column("request_id", sa.String(64)),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(160), nullable=False),
        sa.Column("before", Json, nullable=False),
        sa.Column("after", Json, nullable=False),
        sa.Column("personal", Json),
        sa.Column("personal_salt", sa.LargeBinary(16)),
        sa.Column("personal_digest", sa.LargeBinary(32)),
        sa.Column("previous_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_admin_audit_at", "admin_audit", ["at"])
    op.create_index("ix_admin_audit_subject", "admin_audit", ["subject", "number"])
    op.create_index("ix_admin_audit_actor", "admin_audit", ["actor", "number"])
    op.create_table(
        "admin_audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        **OPTIONS,
    )


def downgrade() -> None:
    for name in ("audit_head", "audit", "leases", "idempotency", "outbox"):
        op.drop_table(f"admin_{name}")
