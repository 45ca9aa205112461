"""All ports on one SQL database."""

from __future__ import annotations

from pathlib import Path

from admin_service.storage.port import Store
from admin_service.storage.sql import schema
from admin_service.storage.sql.api_keys import SqlApiKeys
from admin_service.storage.sql.audit import SqlAudit
from admin_service.storage.sql.config import SqlConfig
from admin_service.storage.sql.duplicates import SqlDuplicates
from admin_service.storage.sql.imports import SqlImports
from admin_service.storage.sql.media import SqlMedia
from admin_service.storage.sql.outbox import SqlOutbox
from admin_service.storage.sql.pois import SqlPois
from admin_service.storage.sql.sessions import SqlSessions
from admin_service.storage.sql.standing import SqlStanding
from admin_service.storage.sql.users import SqlUsers
from common.database import migrations
from common.database.engine import Database
from common.database.writing import IdempotencyRows, Writer

MIGRATIONS = Path(__file__).with_name("migrations")
METADATA = schema.metadata
"""All tables, as the aggregates above have made them."""


def open_store(url: str, threads: int = 8) -> Store:
    """The store on a database that was migrated; nothing is connected to before it is asked for something.

    Args:
        url: `sqlite:///path` or `mysql+pymysql://user:password@host:port/name`.
        threads: how many requests read at the same time.
    """
    database = Database(url, threads)
    write = Writer(database, IdempotencyRows(schema.idempotency))
    return Store(
        kind=database.kind,
        users=SqlUsers(database, write),
        sessions=SqlSessions(database, write),
        api_keys=SqlApiKeys(database, write),
        standing=SqlStanding(database),
        audit=SqlAudit(database, write),
        config=SqlConfig(database, write),
        media=SqlMedia(database, write),
        outbox=SqlOutbox(database, write),
        pois=SqlPois(database, write),
        duplicates=SqlDuplicates(database, write),
        imports=SqlImports(database, write),
        ping=database.ping,
        connections_in_use=database.connections_in_use,
        close=database.close,
    )


def migrate(url: str) -> bool:
    """Bring the database to the shape that this code expects; says whether anything was to be done.

    Raises `StoreUnavailable`. Safe to run from several processes at a time.
    """
    database = Database(url, threads=1)
    try:
        return migrations.upgrade(database, MIGRATIONS, schema.VERSION_TABLE)
    finally:
        database.close()
