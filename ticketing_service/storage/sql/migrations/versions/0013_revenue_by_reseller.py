"""A line of the books says which reseller sold it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from common.database.types import Identifier

revision = "0013"
down_revision = "0012"

TABLE = "ticketing_ledger"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("reseller_id", Identifier))
    op.execute(
        "UPDATE ticketing_ledger SET reseller_id = (SELECT sold.reseller_id FROM ticketing_bookings sold"
        " WHERE sold.id = ticketing_ledger.booking_id)"
        " WHERE booking_id IN (SELECT id FROM ticketing_bookings WHERE reseller_id IS NOT NULL)"
    )


def downgrade() -> None:
    op.drop_column(TABLE, "reseller_id")
