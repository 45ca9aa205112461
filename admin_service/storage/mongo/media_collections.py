"""The collections of media."""

from __future__ import annotations

from admin_service.storage.mongo.schema import collections
from common.mongo.collections import (
    ID,
    INSTANT,
    INTEGER,
    OBJECT,
    OBJECT_ID,
    index,
    lists_of,
    none_below,
    objects,
    or_null,
    text,
)

media = collections(
    "media",
    {
        "_id": ID,
        "digest": text(64),
        "media_type": text(40),
        "file_name": text(200),
        # in small letters, for who searches
        "name_key": text(400),
        "uploaded_bytes": none_below(0),
        "stored_bytes": none_below(0),
        "renditions": lists_of(
            objects(
                {
                    "name": text(20),
                    "media_type": text(40),
                    "bytes": none_below(0),
                    "width": or_null(INTEGER),
                    "height": or_null(INTEGER),
                }
            )
        ),
        "alt": OBJECT,
        "licence": text(20),
        "author": text(200),
        "source": text(500),
        # how many documents of media_uses it has: counted where it is used, asked where it is removed
        "uses": none_below(0),
        # storing, ready, removed
        "state": text(10),
        "uploaded_by": text(160),
        "created_at": INSTANT,
        "changed_at": INSTANT,
        "version": INTEGER,
    },
    index("digest", "digest", unique=True),
    index("state", "state", "_id"),
    index("stale", "state", "changed_at"),
)

media_uses = collections(
    "media_uses",
    {"_id": OBJECT_ID, "media_id": ID, "kind": text(20), "object_id": text(60)},
    index("use", "media_id", "kind", "object_id", unique=True),
    index("object", "kind", "object_id"),
)

media_taken = collections(
    "media_taken",
    # one document, which an upload raises only while it stays below the quota
    {"_id": INTEGER, "bytes": none_below(0), "files": none_below(0)},
)
