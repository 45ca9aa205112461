"""Keys of resellers that are for tests, and bookings that are tests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TABLES = ("ticketing_reseller_keys", "ticketing_bookings")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("is_test", sa.Boolean, nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "is_test")
