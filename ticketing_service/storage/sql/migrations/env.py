"""Run by Alembic, on the connection that `common.database.migrations.upgrade` hands over."""

from __future__ import annotations

from alembic import context

from ticketing_service.storage.sql import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    version_table=context.config.attributes["version_table"],
    # SQLite undoes DDL too, when the driver leaves transactions to us
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
