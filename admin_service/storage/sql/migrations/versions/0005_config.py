"""The platform's configuration, all its revisions; the mode that it is in."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from common.database.types import Instant, Json

revision = "0005"
down_revision = "0004"

OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_row_format": "DYNAMIC",
}


def upgrade() -> None:
    op.create_table(
        "admin_config_revisions",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("values", Json, nullable=False),
        sa.Column("changed", Json, nullable=False),
        sa.Column("changed_at", Instant, nullable=False),
        sa.Column("changed_by", sa.String(160), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        **OPTIONS,
    )
    op.create_table(
        "admin_system_mode",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("mode", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("changed_at", Instant, nullable=False),
        sa.Column("changed_by", sa.String(160), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        **OPTIONS,
    )


def downgrade() -> None:
    for name in ("system_mode", "config_revisions"):
        op.drop_table(f"admin_{name}")
