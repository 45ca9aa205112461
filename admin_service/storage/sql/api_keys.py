"""Keys for machines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, or_, select, update

from admin_service.domain.api_keys import ApiKey
from admin_service.domain.audit import AuditEvent
from admin_service.domain.errors import Code, Refused
from admin_service.storage.sql import audit
from admin_service.storage.sql.people_tables import api_keys
from admin_service.storage.sql.standing import count_up
from common.database.engine import Database
from common.database.keyset import id_cursor, page_from
from common.database.writing import Write
from common.pages import Page
from common.web.idempotency import Idempotency


class SqlApiKeys:
    """The `ApiKeyStore` on an SQL database."""

    def __init__(self, database: Database, write: Write) -> None:
        self._database, self._write = database, write

    def create(self, key: ApiKey, event: AuditEvent, *, idempotency: Idempotency | None = None) -> ApiKey:
        """See ApiKeyStore."""

        def verb(connection: Connection) -> ApiKey:
            connection.execute(insert(api_keys).values(**_row(key)))
            count_up(connection)
            audit.append(connection, event)
            return key

        return self._write(verb, idempotency)

    def get(self, key_id: UUID) -> ApiKey | None:
        """See ApiKeyStore."""
        with self._database.read() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
        return None if row is None else _key_of(row)

    def page(self, limit: int, cursor: str | None) -> Page[ApiKey]:
        """See ApiKeyStore."""
        statement = select(api_keys).order_by(api_keys.c.id.desc()).limit(limit + 1)
        if cursor is not None:
            statement = statement.where(api_keys.c.id < id_cursor(cursor))
        with self._database.read() as connection:
            found = [_key_of(row) for row in connection.execute(statement)]
        return page_from(found, limit, lambda key: (str(key.id),))

    def revoke(self, key_id: UUID, now: datetime, event: AuditEvent) -> ApiKey:
        """See ApiKeyStore."""
        by_id = select(api_keys).where(api_keys.c.id == key_id)

        def verb(connection: Connection) -> ApiKey:
            row = connection.execute(by_id.with_for_update()).one_or_none()
            if row is None:
                raise Refused(Code.API_KEY_NOT_FOUND)
            if row.revoked_at is None:
                connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=now))
                count_up(connection)
                audit.append(connection, event)
            return _key_of(connection.execute(by_id).one())

        return self._write(verb)

    def used(self, uses: Mapping[UUID, datetime]) -> None:
        """See ApiKeyStore."""
        last = api_keys.c.last_used_at

        def verb(connection: Connection) -> None:
            for key_id, moment in sorted(uses.items()):
                earlier = update(api_keys).where(api_keys.c.id == key_id, or_(last.is_(None), last < moment))
                connection.execute(earlier.values(last_used_at=moment))

        self._write(verb)


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "start": key.start,
        "hash": key.hash,
        "roles": list(key.roles),
        "poi_ids": None if key.poi_ids is None else [str(poi_id) for poi_id in key.poi_ids],
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "last_used_at": None,
        "revoked_at": None,
    }


def _key_of(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        start=row.start,
        hash=row.hash,
        roles=tuple(row.roles),
        poi_ids=None if row.poi_ids is None else tuple(map(UUID, row.poi_ids)),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
