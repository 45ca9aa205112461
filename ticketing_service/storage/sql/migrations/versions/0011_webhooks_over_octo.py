"""A subscription to webhooks says whether it was made over OCTO."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from common.database.types import Json

revision = "0011"
down_revision = "0010"

TABLE = "ticketing_webhook_subscriptions"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("octo", Json))


def downgrade() -> None:
    op.drop_column(TABLE, "octo")
