"""Resellers, their keys, and whose a booking is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from common.database.types import Identifier, Instant, Json

revision = "0006"
down_revision = "0005"

OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_row_format": "DYNAMIC",
}


def upgrade() -> None:
    op.create_table(
        "ticketing_resellers",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("ticket_ids", Json),
        sa.Column("max_holds", sa.Integer, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        **OPTIONS,
    )
    op.create_table(
        "ticketing_reseller_keys",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("reseller_id", Identifier, sa.ForeignKey("ticketing_resellers.id"), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("start", sa.String(20), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("created_by", sa.String(120), nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("last_used_at", Instant),
        sa.Column("revoked_at", Instant),
        **OPTIONS,
    )
    op.create_index("ux_ticketing_reseller_keys_hash", "ticketing_reseller_keys", ["hash"], unique=True)
    op.create_index("ix_ticketing_reseller_keys_reseller", "ticketing_reseller_keys", ["reseller_id", "id"])
    op.create_index("ix_ticketing_reseller_keys_revoked", "ticketing_reseller_keys", ["revoked_at"])
    op.add_column("ticketing_bookings", sa.Column("reseller_id", Identifier))
    op.create_index("ix_ticketing_bookings_reseller_id", "ticketing_bookings", ["reseller_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_ticketing_bookings_reseller_id", "ticketing_bookings")
    op.drop_column("ticketing_bookings", "reseller_id")
    op.drop_table("ticketing_reseller_keys")
    op.drop_table("ticketing_resellers")
