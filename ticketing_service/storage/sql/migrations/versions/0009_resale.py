"""What a reseller writes down with a booking: its uuid and reference, its customers' contacts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from common.database.types import Identifier, Json

revision = "0009"
down_revision = "0008"

TABLE = "ticketing_bookings"
UUID_INDEX = "ux_ticketing_bookings_resale_uuid"
REFERENCE_INDEX = "ix_ticketing_bookings_resale_reference"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("resale_uuid", Identifier))
    op.add_column(TABLE, sa.Column("resale_reference", sa.String(200)))
    op.add_column(TABLE, sa.Column("resale", Json))
    op.create_index(UUID_INDEX, TABLE, ["reseller_id", "is_test", "resale_uuid"], unique=True)
    op.create_index(REFERENCE_INDEX, TABLE, ["reseller_id", "resale_reference", "id"])


def downgrade() -> None:
    op.drop_index(REFERENCE_INDEX, TABLE)
    op.drop_index(UUID_INDEX, TABLE)
    for column in ("resale", "resale_reference", "resale_uuid"):
        op.drop_column(TABLE, column)
