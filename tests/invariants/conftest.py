"""The stores that hold the invariants."""

from tests.invariants.stores import (
    database,
    mariadb_server,
    migrated_file,
    migrated_mariadb,
    migrated_mongodb,
    mongodb_server,
    store,
    store_url,
)

__all__ = [
    "database",
    "mariadb_server",
    "migrated_file",
    "migrated_mariadb",
    "migrated_mongodb",
    "mongodb_server",
    "store",
    "store_url",
]
