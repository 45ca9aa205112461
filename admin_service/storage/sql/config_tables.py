"""The tables of the platform's configuration and mode."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String

from admin_service.storage.sql.schema import table
from common.database.types import Instant, Json

revisions = table(
    "config_revisions",
    # each holds all values that were not by default; nothing is ever changed here
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("values", Json, nullable=False),
    Column("changed", Json, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String(160), nullable=False),
    Column("reason", String(500), nullable=False),
)

system_mode = table(
    "system_mode",
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("mode", String(20), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String(160), nullable=False),
    Column("version", Integer, nullable=False),
)
