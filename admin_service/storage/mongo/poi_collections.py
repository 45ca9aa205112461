"""The collections of points of interest."""

from __future__ import annotations

from admin_service.storage.mongo.schema import collections
from common.mongo.collections import (
    BOOLEAN,
    BYTES,
    ID,
    INSTANT,
    INTEGER,
    NUMBER,
    OBJECT,
    OBJECT_ID,
    index,
    lists_of,
    objects,
    or_null,
    text,
)

pois = collections(
    "pois",
    {
        "_id": ID,
        "external_id": or_null(text(100)),
        "owner": or_null(text(64)),
        "status": text(20),
        "category": text(60),
        "category_group": text(60),
        "city_key": text(120),
        "sort_name": text(120),
        "latitude": NUMBER,
        "longitude": NUMBER,
        # the finest cell of the grid, see domain.geo
        "cell": INTEGER,
        # a reviewer has to look at it: in review, or with a proposal
        "waiting": BOOLEAN,
        "merged_into": or_null(ID),
        "version": INTEGER,
        "created_at": INSTANT,
        "updated_at": INSTANT,
        "changed_at": INSTANT,
        "content": OBJECT,
        "verification": or_null(
            objects({"by": {"bsonType": "string"}, "at": INSTANT, "note": {"bsonType": "string"}})
        ),
        "proposal": or_null(objects({"changes": OBJECT, "by": {"bsonType": "string"}, "at": INSTANT})),
        # by which it is found: those of all its texts, and each tag as a whole
        "words": lists_of(text(41)),
    },
    index("external", "external_id", unique=True, partial={"external_id": {"$type": "string"}}),
    # each order of the lists, narrowed by what narrows it most: a page costs the same among a million
    index("name", "status", "sort_name", "_id"),
    index("category", "status", "category", "sort_name", "_id"),
    index("group", "status", "category_group", "sort_name", "_id"),
    index("city", "status", "city_key", "sort_name", "_id"),
    index("cell", "status", "cell", "_id"),
    index("newest", "status", "_id"),
    index("updated", "status", "updated_at", "_id"),
    index("changed", "changed_at", "_id"),
    index("owner", "owner", "sort_name", "_id"),
    index("owner_newest", "owner", "_id"),
    index("owner_updated", "owner", "updated_at", "_id"),
    index("waiting", "waiting", "sort_name", "_id"),
    index("words", "words", "status"),
)

poi_cells = collections(
    "poi_cells",
    {
        # how many places are shown in each cell, for maps: all, and by category; see domain.clusters
        "_id": OBJECT_ID,
        "level": INTEGER,
        "cell": INTEGER,
        "count": INTEGER,
        "latitudes": INTEGER,
        "longitudes": INTEGER,
        "categories": OBJECT,
    },
    index("cell", "level", "cell", unique=True),
)

poi_history = collections(
    "poi_history",
    {
        # only ever added to
        "_id": OBJECT_ID,
        "poi_id": ID,
        "version": INTEGER,
        "at": INSTANT,
        "actor": text(160),
        "action": text(20),
        "reason": text(500),
        "status": text(20),
        "snapshot": OBJECT,
    },
    index("version", "poi_id", "version", unique=True),
)

poi_merges = collections(
    "poi_merges",
    {
        "_id": ID,
        "survivor": ID,
        "absorbed": ID,
        "by": text(160),
        "at": INSTANT,
        "undone_at": or_null(INSTANT),
        # the two as they were, and the survivor as it came out
        "survivor_before": OBJECT,
        "survivor_after": OBJECT,
        "absorbed_before": OBJECT,
        "absorbed_status": text(20),
    },
    index("survivor", "survivor", "_id"),
)

poi_resemblances = collections(
    "poi_resemblances",
    {
        "_id": OBJECT_ID,
        "one": ID,
        "other": ID,
        # thousandths
        "score": INTEGER,
        "name": INTEGER,
        "metres": INTEGER,
        "found_at": INSTANT,
        # somebody has looked, and the two are different places
        "dismissed": BOOLEAN,
    },
    index("pair", "one", "other", unique=True),
    index("score", "dismissed", "score", "one", "other"),
    index("other", "other"),
)

imports = collections(
    "imports",
    {
        "_id": ID,
        "status": text(20),
        "format": text(10),
        "dry_run": BOOLEAN,
        "account": text(64),
        "actor": objects(
            {
                "name": {"bsonType": "string"},
                "account": {"bsonType": "string"},
                "reviewed": BOOLEAN,
                "places": lists_of(ID),
            }
        ),
        "name": text(200),
        "bytes_total": INTEGER,
        # parts of the file that are there
        "chunks": INTEGER,
        "rows_done": INTEGER,
        # rows by what became of them
        "outcomes": OBJECT,
        "problem": or_null(text(500)),
        "created_at": INSTANT,
        "updated_at": INSTANT,
    },
    index("account", "account", "_id"),
    index("status", "status", "created_at"),
)

import_chunks = collections(
    "import_chunks",
    # the file as it came, until the job is done
    {"_id": OBJECT_ID, "import_id": ID, "position": INTEGER, "content": BYTES},
    index("position", "import_id", "position", unique=True),
)

import_rows = collections(
    "import_rows",
    {
        # the report
        "_id": OBJECT_ID,
        "import_id": ID,
        "number": INTEGER,
        "outcome": text(20),
        "external_id": or_null(text(100)),
        "poi_id": or_null(ID),
        "faults": lists_of(
            objects(
                {
                    "pointer": {"bsonType": "string"},
                    "code": {"bsonType": "string"},
                    "detail": {"bsonType": "string"},
                }
            )
        ),
    },
    index("number", "import_id", "number", unique=True),
    index("outcome", "import_id", "outcome", "number"),
)
