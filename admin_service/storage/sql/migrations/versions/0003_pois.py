"""Points of interest: they, what finds and counts them, their history, duplicates and imports."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import LONGBLOB

from common.database.types import Identifier, Instant, Json

revision = "0003"
down_revision = "0002"

OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_row_format": "DYNAMIC",
}
BLOB = sa.LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")


def upgrade() -> None:
    _pois()
    _beside_pois()
    _pairs()
    _imports()


def _pois() -> None:
    op.create_table(
        "admin_pois",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("external_id", sa.String(100)),
        sa.Column("owner", sa.String(64)),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("category", sa.String(60), nullable=False),
        sa.Column("category_group", sa.String(60), nullable=False),
        sa.Column("city_key", sa.String(120), nullable=False),
        sa.Column("sort_name", sa.String(120), nullable=False),
        sa.Column("latitude", sa.Float(53), nullable=False),
        sa.Column("longitude", sa.Float(53), nullable=False),
        sa.Column("cell", sa.BigInteger, nullable=False),
        sa.Column("waiting", sa.Boolean, nullable=False),
        sa.Column("merged_into", Identifier),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("changed_at", Instant, nullable=False),
        sa.Column("body", Json, nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_admin_pois_category", "admin_pois", ["status", "category", "sort_name", "id"])
    op.create_index("ix_admin_pois_cell", "admin_pois", ["status", "cell", "id", "latitude", "longitude"])
    op.create_index("ix_admin_pois_changed", "admin_pois", ["changed_at", "id"])
    op.create_index("ix_admin_pois_city", "admin_pois", ["status", "city_key", "sort_name", "id"])
    op.create_index("ix_admin_pois_group", "admin_pois", ["status", "category_group", "sort_name", "id"])
    op.create_index("ix_admin_pois_name", "admin_pois", ["status", "sort_name", "id"])
    op.create_index("ix_admin_pois_newest", "admin_pois", ["status", "id"])
    op.create_index("ix_admin_pois_owner", "admin_pois", ["owner", "sort_name", "id"])
    op.create_index("ix_admin_pois_updated", "admin_pois", ["status", "updated_at", "id"])
    op.create_index("ix_admin_pois_waiting", "admin_pois", ["waiting", "sort_name", "id"])
    op.create_index("ux_admin_pois_external", "admin_pois", ["external_id"], unique=True)


def _beside_pois() -> None:
    op.create_table(
        "admin_poi_words",
        sa.Column("word", sa.String(41), primary_key=True),
        sa.Column("shown", sa.Boolean, primary_key=True),
        sa.Column("sort_name", sa.String(120), primary_key=True),
        sa.Column("poi_id", Identifier, sa.ForeignKey("admin_pois.id"), primary_key=True),
        # the rows are the index
        sqlite_with_rowid=False,
        **OPTIONS,
    )
    op.create_index("ix_admin_poi_words_poi", "admin_poi_words", ["poi_id", "word"])
    op.create_table(
        "admin_poi_cells",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("category", sa.String(60), primary_key=True),
        sa.Column("cell", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("latitudes", sa.BigInteger, nullable=False),
        sa.Column("longitudes", sa.BigInteger, nullable=False),
        # the rows are the index
        sqlite_with_rowid=False,
        **OPTIONS,
    )
    op.create_table(
        "admin_poi_history",
        sa.Column("poi_id", Identifier, sa.ForeignKey("admin_pois.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor", sa.String(160), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("snapshot", Json, nullable=False),
        **OPTIONS,
    )


def _pairs() -> None:
    op.create_table(
        "admin_poi_merges",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("survivor", Identifier, sa.ForeignKey("admin_pois.id"), nullable=False),
        sa.Column("absorbed", Identifier, sa.ForeignKey("admin_pois.id"), nullable=False),
        sa.Column("by", sa.String(160), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("undone_at", Instant),
        sa.Column("body", Json, nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_admin_poi_merges_survivor", "admin_poi_merges", ["survivor", "id"])
    op.create_table(
        "admin_poi_resemblances",
        sa.Column("one", Identifier, sa.ForeignKey("admin_pois.id"), primary_key=True),
        sa.Column("other", Identifier, sa.ForeignKey("admin_pois.id"), primary_key=True),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("name", sa.Integer, nullable=False),
        sa.Column("metres", sa.Integer, nullable=False),
        sa.Column("found_at", Instant, nullable=False),
        sa.Column("dismissed", sa.Boolean, nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_admin_poi_resemblances_other", "admin_poi_resemblances", ["other"])
    op.create_index(
        "ix_admin_poi_resemblances_score", "admin_poi_resemblances", ["dismissed", "score", "one", "other"]
    )


def _imports() -> None:
    op.create_table(
        "admin_imports",
        sa.Column("id", Identifier, primary_key=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("format", sa.String(10), nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("actor", Json, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("bytes_total", sa.BigInteger, nullable=False),
        sa.Column("rows_done", sa.Integer, nullable=False),
        sa.Column("outcomes", Json, nullable=False),
        sa.Column("problem", sa.String(500)),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_admin_imports_account", "admin_imports", ["account", "id"])
    op.create_index("ix_admin_imports_status", "admin_imports", ["status", "created_at"])
    op.create_table(
        "admin_import_chunks",
        sa.Column("import_id", Identifier, sa.ForeignKey("admin_imports.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", BLOB, nullable=False),
        **OPTIONS,
    )
    op.create_table(
        "admin_import_rows",
        sa.Column("import_id", Identifier, sa.ForeignKey("admin_imports.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("external_id", sa.String(100)),
        sa.Column("poi_id", Identifier),
        sa.Column("faults", Json, nullable=False),
        **OPTIONS,
    )
    op.create_index("ix_admin_import_rows_outcome", "admin_import_rows", ["import_id", "outcome", "number"])


def downgrade() -> None:
    for name in (
        "import_rows",
        "import_chunks",
        "imports",
        "poi_resemblances",
        "poi_merges",
        "poi_history",
        "poi_cells",
        "poi_words",
        "pois",
    ):
        op.drop_table(f"admin_{name}")
