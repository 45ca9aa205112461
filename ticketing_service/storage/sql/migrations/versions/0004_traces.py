"""Which trace a task of the outbox continues.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticketing_outbox", sa.Column("traceparent", sa.String(55)))


def downgrade() -> None:
    op.drop_column("ticketing_outbox", "traceparent")
