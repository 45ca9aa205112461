"""A unit item that is exchanged has another admission beside the one that is void."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"

TABLE = "ticketing_admissions"
UNIQUE, PLAIN = "ux_ticketing_admissions_unit_item", "ix_ticketing_admissions_unit_item"


def upgrade() -> None:
    # the foreign key is never without an index
    op.create_index(PLAIN, TABLE, ["unit_item_id"])
    op.drop_index(UNIQUE, TABLE)


def downgrade() -> None:
    op.create_index(UNIQUE, TABLE, ["unit_item_id"], unique=True)
    op.drop_index(PLAIN, TABLE)
