"""Subscriptions to webhooks, what there is to tell, and what was sent."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from common.database.types import Identifier, Instant, Json

revision = "0010"
down_revision = "0009"

SUBSCRIPTIONS, EVENTS, DELIVERIES = (
    "ticketing_webhook_subscriptions",
    "ticketing_webhook_events",
    "ticketing_webhook_deliveries",
)
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_row_format": "DYNAMIC",
}


def upgrade() -> None:
    op.create_table(
        SUBSCRIPTIONS,
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("reseller_id", Identifier),
        sa.Column("is_test", sa.Boolean, nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("events", Json, nullable=False),
        sa.Column("secrets", Json, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("openings", sa.Integer, nullable=False),
        sa.Column("closed_until", Instant),
        sa.Column("last_error", sa.String(200)),
        sa.Column("last_failure_at", Instant),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("created_by", sa.String(120), nullable=False),
        sa.Column("deleted_at", Instant),
        **OPTIONS,
    )
    op.create_index(f"ix_{SUBSCRIPTIONS}_owner", SUBSCRIPTIONS, ["reseller_id", "is_test", "id"])
    op.create_table(
        EVENTS,
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("subject", Identifier, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("reseller_id", Identifier),
        sa.Column("is_test", sa.Boolean, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("at", Instant, nullable=False),
        **OPTIONS,
    )
    op.create_index(f"ix_{EVENTS}_subject", EVENTS, ["subject"])
    op.create_table(
        DELIVERIES,
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("subscription_id", Identifier, nullable=False),
        sa.Column("event_id", Identifier, nullable=False),
        sa.Column("type", sa.String(30), nullable=False),
        sa.Column("subject", Identifier, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("first", sa.Boolean),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", Instant),
        sa.Column("until", Instant, nullable=False),
        sa.Column("status_code", sa.Integer),
        sa.Column("error", sa.String(200)),
        sa.Column("milliseconds", sa.Integer),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("finished_at", Instant),
        **OPTIONS,
    )
    first = ["subscription_id", "subject", "type", "first"]
    op.create_index(f"ux_{DELIVERIES}_first", DELIVERIES, first, unique=True)
    op.create_index(f"ix_{DELIVERIES}_due", DELIVERIES, ["subscription_id", "state", "due_at"])
    op.create_index(f"ix_{DELIVERIES}_state", DELIVERIES, ["subscription_id", "state", "id"])
    op.create_index(f"ix_{DELIVERIES}_subscription", DELIVERIES, ["subscription_id", "id"])
    op.create_index(f"ix_{DELIVERIES}_finished", DELIVERIES, ["state", "finished_at"])


def downgrade() -> None:
    for table in (DELIVERIES, EVENTS, SUBSCRIPTIONS):
        op.drop_table(table)
