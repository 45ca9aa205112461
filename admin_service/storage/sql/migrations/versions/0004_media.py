"""Media, where they are used, and the room that they take."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from common.database.types import Identifier, Instant, Json

revision = "0004"
down_revision = "0003"

OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_row_format": "DYNAMIC",
}


def upgrade() -> None:
    op.create_table(
        "admin_media",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("uploaded_bytes", sa.Integer, nullable=False),
        sa.Column("stored_bytes", sa.Integer, nullable=False),
        sa.Column("renditions", Json, nullable=False),
        sa.Column("alt", Json, nullable=False),
        sa.Column("licence", sa.String(20), nullable=False),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("source", sa.String(500), nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("uploaded_by", sa.String(160), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("changed_at", Instant, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        **OPTIONS,
    )
    op.create_index("uq_admin_media_digest", "admin_media", ["digest"], unique=True)
    op.create_index("ix_admin_media_state", "admin_media", ["state", "id"])
    op.create_table(
        "admin_media_uses",
        sa.Column("media_id", Identifier, primary_key=True),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("object_id", sa.String(60), primary_key=True),
        **OPTIONS,
    )
    op.create_index("ix_admin_media_uses_object", "admin_media_uses", ["kind", "object_id"])
    op.create_table(
        "admin_media_taken",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("files", sa.Integer, nullable=False),
        **OPTIONS,
    )


def downgrade() -> None:
    for name in ("media_taken", "media_uses", "media"):
        op.drop_table(f"admin_{name}")
