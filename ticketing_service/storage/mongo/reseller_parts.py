"""What a reseller and a key of one look like."""

from __future__ import annotations

from common.mongo.collections import (
    BOOLEAN,
    ID,
    INSTANT,
    INTEGER,
    lists_of,
    objects,
    or_null,
    text,
)

RESELLER = {
    "_id": ID,
    "name": text(200),
    "ticket_ids": or_null(lists_of(ID)),
    "max_holds": INTEGER,
    "markup_basis_points": INTEGER,
    "net_basis_points": INTEGER,
    # of each account; its counter in `capacity_counters` says what is used
    "credit": lists_of(objects({"currency": text(3), "limit": INTEGER, "paid": INTEGER})),
    "active": BOOLEAN,
    "version": INTEGER,
    # counts every change, those of its keys too: by the sum of all, processes see that there is something new
    "revision": INTEGER,
    "created_at": INSTANT,
}
KEY = {
    "_id": ID,
    "reseller_id": ID,
    "name": text(120),
    "start": text(20),
    "hash": text(64),
    "scopes": lists_of(text(40)),
    "is_test": BOOLEAN,
    "created_at": INSTANT,
    "created_by": text(120),
    "expires_at": INSTANT,
    "last_used_at": or_null(INSTANT),
    "revoked_at": or_null(INSTANT),
}
