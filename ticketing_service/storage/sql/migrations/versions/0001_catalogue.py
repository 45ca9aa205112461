"""The catalogue: tickets, slots and their capacity, vouchers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from common.database.types import Identifier, Instant, Json, LocalTime

revision = "0001"
down_revision = None

OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_row_format": "DYNAMIC",
}


def upgrade() -> None:
    op.create_table(
        "ticketing_pois",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("names", Json, nullable=False),
        sa.Column("city", sa.String(120), nullable=False),
        sa.Column("category", sa.String(60), nullable=False),
        sa.Column("latitude", sa.Float(53), nullable=False),
        sa.Column("longitude", sa.Float(53), nullable=False),
        sa.Column("time_zone", sa.String(60), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        **OPTIONS,
    )
    op.create_table(
        "ticketing_tickets",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("poi_id", Identifier, nullable=False),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("city", sa.String(120), nullable=False),
        sa.Column("category", sa.String(60), nullable=False),
        sa.Column("latitude", sa.Float(53), nullable=False),
        sa.Column("longitude", sa.Float(53), nullable=False),
        sa.Column("sort_title", sa.String(120), nullable=False),
        sa.Column("from_price", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("body", Json, nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_tickets_latitude", "ticketing_tickets", ["latitude"])
    op.create_index("ix_ticketing_tickets_poi", "ticketing_tickets", ["poi_id"])
    op.create_index(
        "ix_ticketing_tickets_status_created", "ticketing_tickets", ["status", "created_at", "id"]
    )
    op.create_index("ix_ticketing_tickets_status_price", "ticketing_tickets", ["status", "from_price", "id"])
    op.create_index("ix_ticketing_tickets_status_title", "ticketing_tickets", ["status", "sort_title", "id"])
    op.create_table(
        "ticketing_ticket_words",
        sa.Column("word", sa.String(40), primary_key=True),
        sa.Column("ticket_id", Identifier, sa.ForeignKey("ticketing_tickets.id"), primary_key=True),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_ticket_words_ticket", "ticketing_ticket_words", ["ticket_id"])
    op.create_table(
        "ticketing_schedules",
        sa.Column("ticket_id", Identifier, sa.ForeignKey("ticketing_tickets.id"), primary_key=True),
        sa.Column("body", Json, nullable=False),
        sa.Column("open_ended", sa.Boolean, nullable=False),
        sa.Column("extended_at", Instant, nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_schedules_extended", "ticketing_schedules", ["open_ended", "extended_at"])
    op.create_table(
        "ticketing_slots",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("ticket_id", Identifier, sa.ForeignKey("ticketing_tickets.id"), nullable=False),
        sa.Column("option_id", Identifier, nullable=False),
        sa.Column("local_start", LocalTime, nullable=False),
        sa.Column("local_end", LocalTime, nullable=False),
        sa.Column("time_zone", sa.String(60), nullable=False),
        sa.Column("all_day", sa.Boolean, nullable=False),
        sa.Column("opening_hours", Json, nullable=False),
        sa.Column("starts_at", Instant, nullable=False),
        sa.Column("ends_at", Instant, nullable=False),
        sa.Column("sales_end_at", Instant, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("multiplier", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        **OPTIONS,
    )
    op.create_index(
        "ix_ticketing_slots_ticket_start", "ticketing_slots", ["ticket_id", "local_start", "option_id"]
    )
    op.create_index(
        "ux_ticketing_slots_option_start", "ticketing_slots", ["option_id", "local_start"], unique=True
    )
    op.create_table(
        "ticketing_capacity_counters",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("capacity", sa.Integer),
        sa.Column("held", sa.Integer, nullable=False),
        sa.Column("sold", sa.Integer, nullable=False),
        sa.Column("transient", sa.Boolean, nullable=False),
        **OPTIONS,
    )
    op.create_index(
        "ix_ticketing_capacity_counters_transient", "ticketing_capacity_counters", ["transient", "held", "id"]
    )
    op.create_table(
        "ticketing_slot_counters",
        sa.Column("slot_id", Identifier, sa.ForeignKey("ticketing_slots.id"), primary_key=True),
        sa.Column(
            "counter_id", Identifier, sa.ForeignKey("ticketing_capacity_counters.id"), primary_key=True
        ),
        **OPTIONS,
    )
    op.create_index("ix_ticketing_slot_counters_counter", "ticketing_slot_counters", ["counter_id"])
    op.create_table(
        "ticketing_vouchers",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("percent_basis_points", sa.Integer),
        sa.Column("amount", sa.Integer),
        sa.Column("currency", sa.String(3)),
        sa.Column("valid_from", Instant, nullable=False),
        sa.Column("valid_until", Instant, nullable=False),
        sa.Column("max_uses_per_customer", sa.Integer),
        sa.Column("ticket_ids", Json, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        **OPTIONS,
    )
    op.create_index("ux_ticketing_vouchers_code", "ticketing_vouchers", ["code"], unique=True)


def downgrade() -> None:
    for name in (
        "ticketing_vouchers",
        "ticketing_slot_counters",
        "ticketing_capacity_counters",
        "ticketing_slots",
        "ticketing_schedules",
        "ticketing_ticket_words",
        "ticketing_tickets",
        "ticketing_pois",
    ):
        op.drop_table(name)
