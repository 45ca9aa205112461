"""The collections of people, their sessions, and the keys of machines."""

from __future__ import annotations

from admin_service.storage.mongo.schema import collections
from common.mongo.collections import (
    BOOLEAN,
    ID,
    INSTANT,
    INTEGER,
    index,
    lists_of,
    or_null,
    text,
)

_NAMES = lists_of(text(64))

users = collections(
    "users",
    {
        "_id": ID,
        "email": text(254),
        "email_key": text(254),
        "name": text(200),
        # in small letters, for who searches
        "name_key": text(400),
        "language": text(5),
        "roles": _NAMES,
        "poi_ids": or_null(lists_of(ID)),
        "status": text(10),
        # active, and may administer the platform: never may nobody be left
        "administrator": BOOLEAN,
        "privileges": INTEGER,
        "privileges_changed_at": INSTANT,
        "password_hash": or_null(text(200)),
        "sealed_secret": or_null(text(200)),
        "sealed_pending": or_null(text(200)),
        "last_step": INTEGER,
        "recovery_hashes": _NAMES,
        "created_at": INSTANT,
        "updated_at": INSTANT,
        "last_sign_in_at": or_null(INSTANT),
        "version": INTEGER,
    },
    index("email", "email_key", unique=True),
    index("role", "roles", "email_key", "_id"),
    index("privileges", "privileges_changed_at"),
    index("administrator", "administrator", "_id"),
)

sessions = collections(
    "sessions",
    {
        "_id": ID,
        "user_id": ID,
        "address": text(45),
        "agent": text(200),
        "created_at": INSTANT,
        "used_at": INSTANT,
        "expires_at": INSTANT,
        "ended_at": or_null(INSTANT),
    },
    index("user", "user_id", "-used_at", "_id"),
    index("ended", "ended_at", "expires_at"),
    index("expires", "expires_at"),
)

refresh_tokens = collections(
    "refresh_tokens",
    {
        # its hash
        "_id": text(64),
        "session_id": ID,
        "created_at": INSTANT,
        # used ones stay until the session is forgotten: who brings one again has a copy
        "used_at": or_null(INSTANT),
    },
    index("session", "session_id"),
)

sign_in_attempts = collections(
    "sign_in_attempts",
    {
        # of addresses, known or not, by the hash of what was typed
        "_id": text(64),
        "failures": INTEGER,
        "last_at": INSTANT,
        "locked_until": or_null(INSTANT),
    },
    index("last", "last_at"),
)

links = collections(
    "links",
    {
        # its hash
        "_id": text(64),
        "user_id": ID,
        "purpose": text(10),
        "expires_at": INSTANT,
        "used_at": or_null(INSTANT),
    },
    index("user", "user_id"),
    index("expires", "expires_at"),
)

api_keys = collections(
    "api_keys",
    {
        "_id": ID,
        "name": text(120),
        "start": text(12),
        "hash": text(64),
        "roles": _NAMES,
        "poi_ids": or_null(lists_of(ID)),
        "created_at": INSTANT,
        "created_by": text(160),
        "expires_at": INSTANT,
        "last_used_at": or_null(INSTANT),
        "revoked_at": or_null(INSTANT),
    },
    index("hash", "hash", unique=True),
    index("good", "revoked_at", "expires_at"),
)

standing = collections(
    "standing",
    # one document: counted up by whatever makes credentials good or bad
    {"_id": INTEGER, "generation": INTEGER},
)
