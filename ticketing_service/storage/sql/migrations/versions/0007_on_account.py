"""Markup, net rate and credit of resellers, and what they owe for each unit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from common.database.types import Json

revision = "0007"
down_revision = "0006"

RESELLERS, UNITS = "ticketing_resellers", "ticketing_unit_items"


def upgrade() -> None:
    op.add_column(RESELLERS, sa.Column("markup_basis_points", sa.Integer, nullable=False, server_default="0"))
    op.add_column(
        RESELLERS, sa.Column("net_basis_points", sa.Integer, nullable=False, server_default="10000")
    )
    # MySQL takes a text's default as an expression alone, SQLite never as one
    nothing = "('[]')" if op.get_bind().dialect.name == "mysql" else "'[]'"
    op.add_column(RESELLERS, sa.Column("credit", Json, nullable=False, server_default=sa.text(nothing)))
    op.add_column(UNITS, sa.Column("net", sa.Integer))


def downgrade() -> None:
    op.drop_column(UNITS, "net")
    for name in ("credit", "net_basis_points", "markup_basis_points"):
        op.drop_column(RESELLERS, name)
