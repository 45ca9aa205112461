"""The tables of media."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String

from admin_service.storage.sql.schema import table
from common.database.types import Identifier, Instant, Json

media = table(
    "media",
    Column("id", Identifier, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("media_type", String(40), nullable=False),
    Column("file_name", String(200), nullable=False),
    Column("uploaded_bytes", Integer, nullable=False),
    Column("stored_bytes", Integer, nullable=False),
    Column("renditions", Json, nullable=False),
    Column("alt", Json, nullable=False),
    Column("licence", String(20), nullable=False),
    Column("author", String(200), nullable=False),
    Column("source", String(500), nullable=False),
    # how many rows of media_uses it has: counted where it is used, asked where it is removed
    Column("uses", Integer, nullable=False),
    # storing, ready, removed
    Column("state", String(10), nullable=False),
    Column("uploaded_by", String(160), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("version", Integer, nullable=False),
    Index("uq_admin_media_digest", "digest", unique=True),
    Index("ix_admin_media_state", "state", "id"),
)

media_uses = table(
    "media_uses",
    Column("media_id", Identifier, primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("object_id", String(60), primary_key=True),
    Index("ix_admin_media_uses_object", "kind", "object_id"),
)

media_taken = table(
    "media_taken",
    # one row, which an upload raises only while it stays below the quota
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("bytes", BigInteger, nullable=False),
    Column("files", Integer, nullable=False),
)
