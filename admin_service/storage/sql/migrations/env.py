"""Run by Alembic, on the connection that `common.database.migrations.upgrade` hands over."""

from __future__ import annotations

from alembic import context

from admin_service.storage.sql import store

context.configure(
    connection=context.config.attributes["connection"],
    # the store knows all aggregates, and so all tables are made
    target_metadata=store.METADATA,
    version_table=context.config.attributes["version_table"],
    # SQLite undoes DDL too, when the driver leaves transactions to us
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
