"""People, their sessions, and the keys of machines."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from common.database.types import Identifier, Instant, Json

revision = "0002"
down_revision = "0001"

OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_row_format": "DYNAMIC",
}


def upgrade() -> None:
    _people()
    _sessions()
    _machines()


def _people() -> None:
    op.create_table(
        "admin_users",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("email_key", sa.String(254), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("language", sa.String(5), nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("poi_ids", Json),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("administrator", sa.Boolean, nullable=False),
        sa.Column("privileges", sa.Integer, nullable=False),
        sa.Column("privileges_changed_at", Instant, nullable=False),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("sealed_secret", sa.String(200)),
        sa.Column("sealed_pending", sa.String(200)),
        sa.Column("last_step", sa.Integer, nullable=False),
        sa.Column("recovery_hashes", Json, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("last_sign_in_at", Instant),
        sa.Column("version", sa.Integer, nullable=False),
        **OPTIONS,
    )
    op.create_index("ux_admin_users_email", "admin_users", ["email_key"], unique=True)
    op.create_index("ix_admin_users_privileges", "admin_users", ["privileges_changed_at"])
    op.create_index("ix_admin_users_administrator", "admin_users", ["administrator"])
    op.create_table(
        "admin_links",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("user_id", Identifier, sa.ForeignKey("admin_users.id"), nullable=False),
        sa.Column("purpose", sa.String(10), nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("used_at", Instant),
        **OPTIONS,
    )
    op.create_index("ix_admin_links_user", "admin_links", ["user_id"])
    op.create_index("ix_admin_links_expires", "admin_links", ["expires_at"])


def _sessions() -> None:
    op.create_table(
        "admin_sessions",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("user_id", Identifier, sa.ForeignKey("admin_users.id"), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("used_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        **OPTIONS,
    )
    op.create_index("ix_admin_sessions_user", "admin_sessions", ["user_id", "used_at"])
    op.create_index("ix_admin_sessions_ended", "admin_sessions", ["ended_at"])
    op.create_index("ix_admin_sessions_expires", "admin_sessions", ["expires_at"])
    op.create_table(
        "admin_refresh_tokens",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("session_id", Identifier, sa.ForeignKey("admin_sessions.id"), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("used_at", Instant),
        **OPTIONS,
    )
    op.create_index("ix_admin_refresh_tokens_session", "admin_refresh_tokens", ["session_id"])
    op.create_table(
        "admin_sign_in_attempts",
        sa.Column("email_hash", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", Instant, nullable=False),
        sa.Column("locked_until", Instant),
        **OPTIONS,
    )
    op.create_index("ix_admin_sign_in_attempts_last", "admin_sign_in_attempts", ["last_at"])


def _machines() -> None:
    op.create_table(
        "admin_api_keys",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("start", sa.String(12), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("poi_ids", Json),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("created_by", sa.String(160), nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("last_used_at", Instant),
        sa.Column("revoked_at", Instant),
        **OPTIONS,
    )
    op.create_index("ux_admin_api_keys_hash", "admin_api_keys", ["hash"], unique=True)
    op.create_index("ix_admin_api_keys_good", "admin_api_keys", ["revoked_at", "expires_at"])
    op.create_table(
        "admin_standing",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("generation", sa.Integer, nullable=False),
        **OPTIONS,
    )


def downgrade() -> None:
    for name in (
        "standing",
        "api_keys",
        "sign_in_attempts",
        "refresh_tokens",
        "sessions",
        "links",
        "users",
    ):
        op.drop_table(f"admin_{name}")
