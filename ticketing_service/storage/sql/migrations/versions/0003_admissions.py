"""Admissions, the ledger, and what keeps the service going."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import LONGBLOB

from common.database.types import Identifier, Instant, Json

revision = "0003"
down_revision = "0002"

OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_row_format": "DYNAMIC",
}
BLOB = sa.LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "ticketing_admissions",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("booking_id", Identifier, sa.ForeignKey("ticketing_bookings.id"), nullable=False),
        sa.Column("item_id", Identifier, sa.ForeignKey("ticketing_booking_items.id"), nullable=False),
        sa.Column("unit_item_id", Identifier, sa.ForeignKey("ticketing_unit_items.id"), nullable=False),
        sa.Column("ticket_id", Identifier, nullable=False),
        sa.Column("ticket_type", sa.String(20), nullable=False),
        sa.Column("title", Json, nullable=False),
        sa.Column("unit_title", Json, nullable=False),
        sa.Column("poi_ids", Json, nullable=False),
        sa.Column("pax_count", sa.Integer, nullable=False),
        sa.Column("time_zone", sa.String(60), nullable=False),
        sa.Column("first_day", sa.String(10), nullable=False),
        sa.Column("valid_days", sa.Integer, nullable=False),
        sa.Column("valid_from", Instant, nullable=False),
        sa.Column("valid_until", Instant, nullable=False),
        sa.Column("code", sa.String(400), nullable=False),
        sa.Column("cancelled_at", Instant),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_admissions_booking", "ticketing_admissions", ["booking_id"])
    op.create_index("ix_ticketing_admissions_cancelled", "ticketing_admissions", ["cancelled_at", "id"])
    op.create_index(
        "ux_ticketing_admissions_unit_item", "ticketing_admissions", ["unit_item_id"], unique=True
    )
    op.create_table(
        "ticketing_redemptions",
        sa.Column("admission_id", Identifier, sa.ForeignKey("ticketing_admissions.id"), primary_key=True),
        sa.Column("entry_key", sa.String(40), primary_key=True),
        sa.Column("scan_id", Identifier, nullable=False),
        sa.Column("poi_id", Identifier, nullable=False),
        sa.Column("gate", sa.String(120), nullable=False),
        sa.Column("redeemed_at", Instant, nullable=False),
        sa.Column("recorded_at", Instant, nullable=False),
        sa.Column("offline", sa.Boolean, nullable=False),
        **OPTIONS,
    )
    op.create_index("ux_ticketing_redemptions_scan", "ticketing_redemptions", ["scan_id"], unique=True)
    op.create_table(
        "ticketing_documents",
        sa.Column("booking_id", Identifier, sa.ForeignKey("ticketing_bookings.id"), primary_key=True),
        sa.Column("booking_version", sa.Integer, nullable=False),
        sa.Column("pdf", BLOB, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        **OPTIONS,
    )
    op.create_table(
        "ticketing_ledger",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("booking_id", Identifier, sa.ForeignKey("ticketing_bookings.id"), nullable=False),
        sa.Column("unit_item_id", Identifier),
        sa.Column("ticket_id", Identifier),
        sa.Column("ticket_type", sa.String(20)),
        sa.Column("unit_type", sa.String(10)),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount", sa.Integer, nullable=False),
        sa.Column("commission", sa.Integer, nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_ledger_booking", "ticketing_ledger", ["booking_id"])
    op.create_index("ix_ticketing_ledger_day", "ticketing_ledger", ["day", "kind"])
    op.create_table(
        "ticketing_outbox",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", Instant),
        sa.Column("last_error", sa.String(500)),
        sa.Column("created_at", Instant, nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_outbox_due", "ticketing_outbox", ["due_at", "id"])
    op.create_table(
        "ticketing_idempotency",
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
    op.create_index("ix_ticketing_idempotency_created", "ticketing_idempotency", ["created_at"])
    op.create_index("ix_ticketing_idempotency_about", "ticketing_idempotency", ["about"])
    op.create_table(
        "ticketing_leases",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("until", Instant, nullable=False),
        sa.Column("beat_at", Instant, nullable=False),
        **OPTIONS,
    )


def downgrade() -> None:
    for name in (
        "ticketing_leases",
        "ticketing_idempotency",
        "ticketing_outbox",
        "ticketing_ledger",
        "ticketing_documents",
        "ticketing_redemptions",
        "ticketing_admissions",
    ):
        op.drop_table(name)
