"""Inserting what may be there already."""

from __future__ import annotations

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.dml import Insert


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves a row alone whose key is there already; `rowcount` tells whether it inserted."""
    return insert_new_on(connection.dialect.name, table)


def insert_new_on(dialect: str, table: Table) -> Insert:
    """`insert_new` by the dialect's name, for prepared statements."""
    if dialect == "mysql":
        return mysql_insert(table).prefix_with("IGNORE")
    return sqlite_insert(table).on_conflict_do_nothing()
