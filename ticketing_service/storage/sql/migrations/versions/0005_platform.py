"""The last copy of the platform's configuration."""

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
        "ticketing_platform",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("document", Json, nullable=False),
        sa.Column("kept_at", Instant, nullable=False),
        **OPTIONS,
    )


def downgrade() -> None:
    op.drop_table("ticketing_platform")
