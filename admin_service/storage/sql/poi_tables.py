"""The tables of points of interest."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String

from admin_service.storage.sql.schema import table
from common.database.tables import blob
from common.database.types import Identifier, Instant, Json

pois = table(
    "pois",
    Column("id", Identifier, primary_key=True),
    Column("external_id", String(100)),
    Column("owner", String(64)),
    Column("status", String(20), nullable=False),
    Column("category", String(60), nullable=False),
    Column("category_group", String(60), nullable=False),
    Column("city_key", String(120), nullable=False),
    Column("sort_name", String(120), nullable=False),
    Column("latitude", Float(53), nullable=False),
    Column("longitude", Float(53), nullable=False),
    # the finest cell of the grid, see domain.geo
    Column("cell", BigInteger, nullable=False),
    # a reviewer has to look at it: in review, or with a proposal
    Column("waiting", Boolean, nullable=False),
    Column("merged_into", Identifier),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    # the content, the verification, the proposal: read and written as one; last, as it is long
    Column("body", Json, nullable=False),
    Index("ux_admin_pois_external", "external_id", unique=True),
    # each order of the lists, narrowed by what narrows it most: a page costs the same among a million
    Index("ix_admin_pois_name", "status", "sort_name", "id"),
    Index("ix_admin_pois_category", "status", "category", "sort_name", "id"),
    Index("ix_admin_pois_group", "status", "category_group", "sort_name", "id"),
    Index("ix_admin_pois_city", "status", "city_key", "sort_name", "id"),
    # with the place itself: of those in the cells of a circle most rows need not be read
    Index("ix_admin_pois_cell", "status", "cell", "id", "latitude", "longitude"),
    Index("ix_admin_pois_newest", "status", "id"),
    Index("ix_admin_pois_updated", "status", "updated_at", "id"),
    Index("ix_admin_pois_changed", "changed_at", "id"),
    Index("ix_admin_pois_owner", "owner", "sort_name", "id"),
    Index("ix_admin_pois_waiting", "waiting", "sort_name", "id"),
)

poi_words = table(
    "poi_words",
    # each word is a list of those that have it, by name, what visitors see apart
    Column("word", String(41), primary_key=True),
    Column("shown", Boolean, primary_key=True),
    Column("sort_name", String(120), primary_key=True),
    Column("poi_id", Identifier, ForeignKey(pois.c.id), primary_key=True),
    Index("ix_admin_poi_words_poi", "poi_id", "word"),
)

poi_cells = table(
    "poi_cells",
    # how many places are shown in each cell, for maps; see domain.clusters
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("category", String(60), primary_key=True),
    Column("cell", BigInteger, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    Column("latitudes", BigInteger, nullable=False),
    Column("longitudes", BigInteger, nullable=False),
)

poi_history = table(
    "poi_history",
    # only ever added to
    Column("poi_id", Identifier, ForeignKey(pois.c.id), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(160), nullable=False),
    Column("action", String(20), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("status", String(20), nullable=False),
    Column("snapshot", Json, nullable=False),
)

poi_merges = table(
    "poi_merges",
    Column("id", Identifier, primary_key=True),
    Column("survivor", Identifier, ForeignKey(pois.c.id), nullable=False),
    Column("absorbed", Identifier, ForeignKey(pois.c.id), nullable=False),
    Column("by", String(160), nullable=False),
    Column("at", Instant, nullable=False),
    Column("undone_at", Instant),
    # the two as they were, and the survivor as it came out
    Column("body", Json, nullable=False),
    Index("ix_admin_poi_merges_survivor", "survivor", "id"),
)

poi_resemblances = table(
    "poi_resemblances",
    Column("one", Identifier, ForeignKey(pois.c.id), primary_key=True),
    Column("other", Identifier, ForeignKey(pois.c.id), primary_key=True),
    # thousandths
    Column("score", Integer, nullable=False),
    Column("name", Integer, nullable=False),
    Column("metres", Integer, nullable=False),
    Column("found_at", Instant, nullable=False),
    # somebody has looked, and the two are different places
    Column("dismissed", Boolean, nullable=False),
    Index("ix_admin_poi_resemblances_score", "dismissed", "score", "one", "other"),
    Index("ix_admin_poi_resemblances_other", "other"),
)

imports = table(
    "imports",
    Column("id", Identifier, primary_key=True),
    Column("status", String(20), nullable=False),
    Column("format", String(10), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("account", String(64), nullable=False),
    Column("actor", Json, nullable=False),
    Column("name", String(200), nullable=False),
    Column("bytes_total", BigInteger, nullable=False),
    Column("rows_done", Integer, nullable=False),
    # rows by what became of them
    Column("outcomes", Json, nullable=False),
    Column("problem", String(500)),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ix_admin_imports_account", "account", "id"),
    Index("ix_admin_imports_status", "status", "created_at"),
)

import_chunks = table(
    "import_chunks",
    # the file as it came, until the job is done
    Column("import_id", Identifier, ForeignKey(imports.c.id), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("content", blob(), nullable=False),
)

import_rows = table(
    "import_rows",
    # the report
    Column("import_id", Identifier, ForeignKey(imports.c.id), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("outcome", String(20), nullable=False),
    Column("external_id", String(100)),
    Column("poi_id", Identifier),
    Column("faults", Json, nullable=False),
    Index("ix_admin_import_rows_outcome", "import_id", "outcome", "number"),
)
