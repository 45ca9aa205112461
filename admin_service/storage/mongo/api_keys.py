"""Keys for machines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from admin_service.domain.api_keys import ApiKey
from admin_service.domain.audit import AuditEvent
from admin_service.domain.errors import Code, Refused
from admin_service.storage.mongo import audit
from admin_service.storage.mongo.people_collections import api_keys
from admin_service.storage.mongo.standing import count_up
from common.database.cursors import id_cursor, page_from
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import Document, instant, ms
from common.mongo.writing import Write
from common.pages import Page
from common.web.idempotency import Idempotency


class MongoApiKeys:
    """The `ApiKeyStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, write: Write) -> None:
        self._database, self._write = database, write

    def create(self, key: ApiKey, event: AuditEvent, *, idempotency: Idempotency | None = None) -> ApiKey:
        """See ApiKeyStore."""

        def verb(tx: Transaction) -> ApiKey:
            audit.append(tx, event)
            tx.insert(api_keys, [_document(key)])
            count_up(tx)
            return key

        return self._write(verb, idempotency)

    def get(self, key_id: UUID) -> ApiKey | None:
        """See ApiKeyStore."""
        with self._database.read() as tx:
            found = tx.one(api_keys, {"_id": key_id})
        return None if found is None else _key_of(found)

    def page(self, limit: int, cursor: str | None) -> Page[ApiKey]:
        """See ApiKeyStore."""
        earlier = {} if cursor is None else {"_id": {"$lt": id_cursor(cursor)}}
        with self._database.read() as tx:
            found = tx.find(api_keys, earlier, sort=[("_id", -1)], limit=limit + 1)
        return page_from([_key_of(each) for each in found], limit, lambda key: (str(key.id),))

    def revoke(self, key_id: UUID, now: datetime, event: AuditEvent) -> ApiKey:
        """See ApiKeyStore."""

        def verb(tx: Transaction) -> ApiKey:
            if tx.update(api_keys, {"_id": key_id, "revoked_at": None}, {"$set": {"revoked_at": ms(now)}}):
                audit.append(tx, event)
                count_up(tx)
            found = tx.one(api_keys, {"_id": key_id})
            if found is None:
                raise Refused(Code.API_KEY_NOT_FOUND)
            return _key_of(found)

        return self._write(verb)

    def used(self, uses: Mapping[UUID, datetime]) -> None:
        """See ApiKeyStore."""
        updates = [
            (
                {"_id": key_id, "$or": [{"last_used_at": None}, {"last_used_at": {"$lt": ms(moment)}}]},
                {"$set": {"last_used_at": ms(moment)}},
            )
            for key_id, moment in sorted(uses.items())
        ]
        self._write(lambda tx: tx.update_each(api_keys, updates))


def _document(key: ApiKey) -> Document:
    return {
        "_id": key.id,
        "name": key.name,
        "start": key.start,
        "hash": key.hash,
        "roles": list(key.roles),
        "poi_ids": None if key.poi_ids is None else list(key.poi_ids),
        "created_at": ms(key.created_at),
        "created_by": key.created_by,
        "expires_at": ms(key.expires_at),
        "last_used_at": None,
        "revoked_at": None,
    }


def _key_of(found: Document) -> ApiKey:
    return ApiKey(
        id=found["_id"],
        name=found["name"],
        start=found["start"],
        hash=found["hash"],
        roles=tuple(found["roles"]),
        poi_ids=None if found["poi_ids"] is None else tuple(found["poi_ids"]),
        created_at=instant(found["created_at"]),
        created_by=found["created_by"],
        expires_at=instant(found["expires_at"]),
        last_used_at=instant(found["last_used_at"]),
        revoked_at=instant(found["revoked_at"]),
    )
