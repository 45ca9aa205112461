"""Resellers and their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, or_, select, update

from common.database.engine import Database
from common.database.keyset import id_cursor, page_from
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.resellers import Credential, Reseller, ResellerKey, Scope
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.writing import Writer

_resellers, _keys = schema.resellers, schema.reseller_keys
_SELECT = select(_resellers)


class SqlResellers:
    """The `ResellerStore` on an SQL database."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database, self._write = database, writer

    def create(self, reseller: Reseller, *, idempotency: Idempotency | None = None) -> Reseller:
        reseller = replace(reseller, version=1)

        def verb(connection: Connection) -> Reseller:
            connection.execute(insert(_resellers), {"id": reseller.id, "revision": 1, **_row(reseller)})
            return reseller

        return self._write(verb, idempotency)

    def replace(
        self, reseller: Reseller, expected_version: int, *, idempotency: Idempotency | None = None
    ) -> Reseller:
        return self._write(lambda connection: _replace(connection, reseller, expected_version), idempotency)

    def get(self, reseller_id: UUID) -> Reseller | None:
        with self._database.read() as connection:
            row = connection.execute(_SELECT.where(_resellers.c.id == reseller_id)).one_or_none()
        return None if row is None else _reseller_of(row)

    def page(self, limit: int, cursor: str | None) -> Page[Reseller]:
        """Newest first."""
        statement = _SELECT.order_by(_resellers.c.id.desc()).limit(limit + 1)
        if cursor is not None:
            statement = statement.where(_resellers.c.id < id_cursor(cursor))
        with self._database.read() as connection:
            found = [_reseller_of(row) for row in connection.execute(statement)]
        return page_from(found, limit, lambda reseller: (str(reseller.id),))

    def add_key(self, key: ResellerKey, *, idempotency: Idempotency | None = None) -> ResellerKey:
        def verb(connection: Connection) -> ResellerKey:
            if not _count_up(connection, key.reseller_id):
                raise Refused(Code.RESELLER_NOT_FOUND)
            connection.execute(insert(_keys), _key_row(key))
            return key

        return self._write(verb, idempotency)

    def revoke_key(self, reseller_id: UUID, key_id: UUID, now: datetime) -> ResellerKey:
        by_id = select(_keys).where(_keys.c.id == key_id, _keys.c.reseller_id == reseller_id)

        def verb(connection: Connection) -> ResellerKey:
            row = connection.execute(by_id.with_for_update()).one_or_none()
            if row is None:
                raise Refused(Code.API_KEY_NOT_FOUND)
            if row.revoked_at is None:
                connection.execute(update(_keys).where(_keys.c.id == key_id).values(revoked_at=now))
                _count_up(connection, reseller_id)
            return _key_of(connection.execute(by_id).one())

        return self._write(verb)

    def keys(self, reseller_id: UUID, limit: int, cursor: str | None) -> Page[ResellerKey]:
        statement = (
            select(_keys)
            .where(_keys.c.reseller_id == reseller_id)
            .order_by(_keys.c.id.desc())
            .limit(limit + 1)
        )
        if cursor is not None:
            statement = statement.where(_keys.c.id < id_cursor(cursor))
        with self._database.read() as connection:
            found = [_key_of(row) for row in connection.execute(statement)]
        return page_from(found, limit, lambda key: (str(key.id),))

    def used(self, uses: Mapping[UUID, datetime]) -> None:
        last = _keys.c.last_used_at

        def verb(connection: Connection) -> None:
            for key_id, moment in sorted(uses.items()):
                earlier = update(_keys).where(_keys.c.id == key_id, or_(last.is_(None), last < moment))
                connection.execute(earlier.values(last_used_at=moment))

        self._write(verb)

    def generation(self) -> int:
        with self._database.read() as connection:
            # MariaDB answers a sum as a decimal
            return int(connection.scalar(select(func.sum(_resellers.c.revision))) or 0)

    def credentials(self) -> tuple[Credential, ...]:
        with self._database.read() as connection:
            resellers = {row.id: _reseller_of(row) for row in connection.execute(_SELECT)}
            keys = connection.execute(select(_keys).where(_keys.c.revoked_at.is_(None)))
            return tuple(Credential(_key_of(row), resellers[row.reseller_id]) for row in keys)


def _replace(connection: Connection, reseller: Reseller, expected_version: int) -> Reseller:
    reseller = replace(reseller, version=expected_version + 1)
    row = {name: value for name, value in _row(reseller).items() if name != "created_at"}
    changed = connection.execute(
        update(_resellers)
        .where(_resellers.c.id == reseller.id, _resellers.c.version == expected_version)
        .values(revision=_resellers.c.revision + 1, **row)
    )
    found = connection.execute(_SELECT.where(_resellers.c.id == reseller.id)).one_or_none()
    if found is None:
        raise Refused(Code.RESELLER_NOT_FOUND)
    if changed.rowcount == 0:
        raise Refused(Code.VERSION_CONFLICT, facts={"version": found.version})
    return _reseller_of(found)


def _count_up(connection: Connection, reseller_id: UUID) -> bool:
    """Something about the reseller is another now; False when there is no such reseller."""
    counted = update(_resellers).where(_resellers.c.id == reseller_id)
    return connection.execute(counted.values(revision=_resellers.c.revision + 1)).rowcount == 1


def _row(reseller: Reseller) -> dict[str, Any]:
    tickets = reseller.ticket_ids
    return {
        "name": reseller.name,
        "ticket_ids": None if tickets is None else [str(ticket_id) for ticket_id in tickets],
        "max_holds": reseller.max_holds,
        "active": reseller.active,
        "version": reseller.version,
        "created_at": reseller.created_at,
    }


def _reseller_of(row: Any) -> Reseller:
    return Reseller(
        id=row.id,
        name=row.name,
        ticket_ids=None if row.ticket_ids is None else tuple(map(UUID, row.ticket_ids)),
        max_holds=row.max_holds,
        active=row.active,
        version=row.version,
        created_at=row.created_at,
    )


def _key_row(key: ResellerKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "reseller_id": key.reseller_id,
        "name": key.name,
        "start": key.start,
        "hash": key.hash,
        "scopes": [scope.value for scope in key.scopes],
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }


def _key_of(row: Any) -> ResellerKey:
    return ResellerKey(
        id=row.id,
        reseller_id=row.reseller_id,
        name=row.name,
        start=row.start,
        hash=row.hash,
        scopes=tuple(map(Scope, row.scopes)),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
