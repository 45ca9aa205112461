"""The stores that are sold from."""

from tests.invariants.stores import mariadb_server, migrated_file, migrated_mariadb, store_url

__all__ = ["mariadb_server", "migrated_file", "migrated_mariadb", "store_url"]
