"""The tables of people, their sessions, and the keys of machines."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String

from admin_service.storage.sql.schema import table
from common.database.types import Identifier, Instant, Json

users = table(
    "users",
    Column("id", Identifier, primary_key=True),
    Column("email", String(254), nullable=False),
    Column("email_key", String(254), nullable=False),
    Column("name", String(200), nullable=False),
    Column("language", String(5), nullable=False),
    Column("roles", Json, nullable=False),
    Column("poi_ids", Json),
    Column("status", String(10), nullable=False),
    # active, and may administer the platform: never may nobody be left
    Column("administrator", Boolean, nullable=False),
    Column("privileges", Integer, nullable=False),
    Column("privileges_changed_at", Instant, nullable=False),
    Column("password_hash", String(200)),
    Column("sealed_secret", String(200)),
    Column("sealed_pending", String(200)),
    Column("last_step", Integer, nullable=False),
    Column("recovery_hashes", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("last_sign_in_at", Instant),
    Column("version", Integer, nullable=False),
    Index("ux_admin_users_email", "email_key", unique=True),
    Index("ix_admin_users_privileges", "privileges_changed_at"),
    Index("ix_admin_users_administrator", "administrator"),
)

sessions = table(
    "sessions",
    Column("id", Identifier, primary_key=True),
    Column("user_id", Identifier, ForeignKey(users.c.id), nullable=False),
    Column("address", String(45), nullable=False),
    Column("agent", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("ix_admin_sessions_user", "user_id", "used_at"),
    Index("ix_admin_sessions_ended", "ended_at"),
    Index("ix_admin_sessions_expires", "expires_at"),
)

refresh_tokens = table(
    "refresh_tokens",
    Column("hash", String(64), primary_key=True),
    Column("session_id", Identifier, ForeignKey(sessions.c.id), nullable=False),
    Column("created_at", Instant, nullable=False),
    # used ones stay until the session is forgotten: who brings one again has a copy
    Column("used_at", Instant),
    Index("ix_admin_refresh_tokens_session", "session_id"),
)

sign_in_attempts = table(
    "sign_in_attempts",
    # of addresses, known or not, by the hash of what was typed
    Column("email_hash", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("locked_until", Instant),
    Index("ix_admin_sign_in_attempts_last", "last_at"),
)

links = table(
    "links",
    Column("hash", String(64), primary_key=True),
    Column("user_id", Identifier, ForeignKey(users.c.id), nullable=False),
    Column("purpose", String(10), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index("ix_admin_links_user", "user_id"),
    Index("ix_admin_links_expires", "expires_at"),
)

api_keys = table(
    "api_keys",
    Column("id", Identifier, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("start", String(12), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("roles", Json, nullable=False),
    Column("poi_ids", Json),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(160), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Index("ux_admin_api_keys_hash", "hash", unique=True),
    Index("ix_admin_api_keys_good", "revoked_at", "expires_at"),
)

standing = table(
    "standing",
    # one row: counted up by whatever makes credentials good or bad
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("generation", Integer, nullable=False),
)
