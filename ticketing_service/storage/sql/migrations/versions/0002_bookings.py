"""Bookings, what they take of the capacity, and their payments."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from common.database.types import Identifier, Instant, Json, LocalTime

revision = "0002"
down_revision = "0001"

OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_row_format": "DYNAMIC",
}


def upgrade() -> None:
    op.create_table(
        "ticketing_bookings",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("reference", sa.String(16), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("principal", sa.String(120)),
        sa.Column("customer_name", sa.String(200), nullable=False),
        sa.Column("customer_email", sa.String(254), nullable=False),
        sa.Column("customer_email_key", sa.String(254), nullable=False),
        sa.Column("customer_phone", sa.String(40)),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("items_amount", sa.Integer, nullable=False),
        sa.Column("discount_amount", sa.Integer, nullable=False),
        sa.Column("fee_amount", sa.Integer, nullable=False),
        sa.Column("included_taxes", Json, nullable=False),
        sa.Column("voucher_id", Identifier),
        sa.Column("voucher_code", sa.String(40)),
        sa.Column("payment_status", sa.String(20), nullable=False),
        sa.Column("return_url", sa.String(2000)),
        sa.Column("extensions", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("admits_until", Instant),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_bookings_admits_until", "ticketing_bookings", ["admits_until"])
    op.create_index("ix_ticketing_bookings_created_id", "ticketing_bookings", ["created_at", "id"])
    op.create_index("ix_ticketing_bookings_email_id", "ticketing_bookings", ["customer_email_key", "id"])
    op.create_index("ix_ticketing_bookings_status_expires", "ticketing_bookings", ["status", "expires_at"])
    op.create_index("ix_ticketing_bookings_status_id", "ticketing_bookings", ["status", "id"])
    op.create_index("ux_ticketing_bookings_reference", "ticketing_bookings", ["reference"], unique=True)
    op.create_table(
        "ticketing_booking_items",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("booking_id", Identifier, sa.ForeignKey("ticketing_bookings.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("ticket_id", Identifier, nullable=False),
        sa.Column("option_id", Identifier, nullable=False),
        sa.Column("slot_id", Identifier, sa.ForeignKey("ticketing_slots.id"), nullable=False),
        sa.Column("local_start", LocalTime, nullable=False),
        sa.Column("local_end", LocalTime, nullable=False),
        sa.Column("time_zone", sa.String(60), nullable=False),
        sa.Column("starts_at", Instant, nullable=False),
        sa.Column("ends_at", Instant, nullable=False),
        sa.Column("sales_end_at", Instant, nullable=False),
        sa.Column("terms", Json, nullable=False),
        **OPTIONS,
    )
    op.create_index(
        "ix_ticketing_booking_items_booking", "ticketing_booking_items", ["booking_id", "position"]
    )
    op.create_index("ix_ticketing_booking_items_slot", "ticketing_booking_items", ["slot_id", "booking_id"])
    op.create_index(
        "ix_ticketing_booking_items_ticket", "ticketing_booking_items", ["ticket_id", "booking_id"]
    )
    op.create_table(
        "ticketing_unit_items",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("item_id", Identifier, sa.ForeignKey("ticketing_booking_items.id"), nullable=False),
        sa.Column("booking_id", Identifier, sa.ForeignKey("ticketing_bookings.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("unit_id", Identifier, nullable=False),
        sa.Column("unit_type", sa.String(10), nullable=False),
        sa.Column("title", Json, nullable=False),
        sa.Column("pax_count", sa.Integer, nullable=False),
        sa.Column("price", sa.Integer, nullable=False),
        sa.Column("discount", sa.Integer, nullable=False),
        sa.Column("commission", sa.Integer, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("admission_id", Identifier),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_unit_items_booking", "ticketing_unit_items", ["booking_id", "position"])
    op.create_index("ix_ticketing_unit_items_item", "ticketing_unit_items", ["item_id"])
    op.create_table(
        "ticketing_claims",
        sa.Column("booking_id", Identifier, sa.ForeignKey("ticketing_bookings.id"), primary_key=True),
        sa.Column("counter_id", Identifier, primary_key=True),
        sa.Column("item_id", Identifier, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("held_until", Instant),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_claims_counter_held", "ticketing_claims", ["counter_id", "held_until"])
    op.create_table(
        "ticketing_booking_history",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("booking_id", Identifier, sa.ForeignKey("ticketing_bookings.id"), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("from_status", sa.String(20)),
        sa.Column("to_status", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_booking_history_booking", "ticketing_booking_history", ["booking_id", "id"])
    op.create_table(
        "ticketing_payments",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("booking_id", Identifier, sa.ForeignKey("ticketing_bookings.id"), nullable=False),
        sa.Column("provider_id", sa.String(100)),
        sa.Column("amount", sa.Integer, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("captured", sa.Integer, nullable=False),
        sa.Column("refund_ordered", sa.Integer, nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("redirect_url", sa.String(2000)),
        sa.Column("return_url", sa.String(2000), nullable=False),
        sa.Column("session_ends_at", Instant),
        sa.Column("next_look_at", Instant),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_payments_booking", "ticketing_payments", ["booking_id"])
    op.create_index("ix_ticketing_payments_next_look", "ticketing_payments", ["next_look_at"])
    op.create_index("ux_ticketing_payments_provider", "ticketing_payments", ["provider_id"], unique=True)
    op.create_table(
        "ticketing_refunds",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("booking_id", Identifier, sa.ForeignKey("ticketing_bookings.id"), nullable=False),
        sa.Column("payment_id", Identifier, sa.ForeignKey("ticketing_payments.id"), nullable=False),
        sa.Column("amount", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("provider_refund_id", sa.String(100)),
        sa.Column("created_at", Instant, nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_refunds_booking", "ticketing_refunds", ["booking_id"])
    op.create_index("ix_ticketing_refunds_payment", "ticketing_refunds", ["payment_id"])


def downgrade() -> None:
    for name in (
        "ticketing_refunds",
        "ticketing_payments",
        "ticketing_booking_history",
        "ticketing_claims",
        "ticketing_unit_items",
        "ticketing_booking_items",
        "ticketing_bookings",
    ):
        op.drop_table(name)
