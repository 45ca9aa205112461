"""The tables of a service: how all of them are made, and those that every service has."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table
from sqlalchemy.dialects.mysql import LONGBLOB

from common.database.types import Identifier, Instant, Json


class Tables:
    """Makes the tables of one service, which all begin with `prefix`, such as `ticketing_`."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.metadata = MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            }
        )

    def __call__(self, name: str, *parts: Any) -> Table:
        """The table `name`, without its prefix, of these columns and indexes."""
        return Table(
            self.prefix + name,
            self.metadata,
            *parts,
            mysql_engine="InnoDB",
            mysql_charset="utf8mb4",
            mysql_collate="utf8mb4_bin",
            mysql_row_format="DYNAMIC",
        )


def blob() -> Any:
    """The type of bytes of any length."""
    return LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")


def outbox_table(tables: Tables) -> Table:
    """What is to be done outside after a commit."""
    return tables(
        "outbox",
        Column("id", Identifier, primary_key=True),
        Column("kind", String(30), nullable=False),
        Column("payload", Json, nullable=False),
        Column("attempts", Integer, nullable=False),
        # NULL once it is given up; done rows are deleted
        Column("due_at", Instant),
        Column("last_error", String(500)),
        Column("created_at", Instant, nullable=False),
        # of the request that wrote it (W3C Trace Context)
        Column("traceparent", String(55)),
        Index(f"ix_{tables.prefix}outbox_due", "due_at", "id"),
    )


def idempotency_table(tables: Tables) -> Table:
    """The answers that are kept for a repetition."""
    return tables(
        "idempotency",
        Column("scope", String(200), primary_key=True),
        Column("key", String(64), primary_key=True),  # a hash of the client's
        Column("fingerprint", LargeBinary(32), nullable=False),
        Column("status", Integer, nullable=False),
        Column("headers", Json, nullable=False),
        Column("body", blob(), nullable=False),
        Column("created_at", Instant, nullable=False),
        # whose data the answer has: it goes when that is erased
        Column("about", Identifier),
        Index(f"ix_{tables.prefix}idempotency_created", "created_at"),
        Index(f"ix_{tables.prefix}idempotency_about", "about"),
    )


def leases_table(tables: Tables) -> Table:
    """Who is the one that does something, and until when."""
    return tables(
        "leases",
        Column("name", String(40), primary_key=True),
        Column("owner", String(80), nullable=False),
        Column("until", Instant, nullable=False),
        Column("beat_at", Instant, nullable=False),
    )
