"""The collections of the platform's configuration and mode."""

from __future__ import annotations

from admin_service.storage.mongo.schema import collections
from common.mongo.collections import INSTANT, INTEGER, lists_of, objects, or_null, text

revisions = collections(
    "config_revisions",
    {
        # its number; each holds all values that were not by default, and nothing is ever changed here
        "_id": INTEGER,
        "values": lists_of(objects({"key": {"bsonType": "string"}, "value": {}})),
        "changed": lists_of({"bsonType": "string"}),
        "changed_at": INSTANT,
        "changed_by": text(160),
        "reason": text(500),
    },
)

system_mode = collections(
    "system_mode",
    {
        "_id": INTEGER,
        "mode": text(20),
        "reason": text(500),
        "changed_at": or_null(INSTANT),
        "changed_by": text(160),
        "version": INTEGER,
    },
)
