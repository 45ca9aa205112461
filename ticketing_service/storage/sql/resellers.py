"""Resellers and their keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from ticketing_service.domain.resellers import (
    Credential,
    Credit,
    Reseller,
    ResellerKey,
    Scope,
    credit_counter_id,
)
from ticketing_service.storage.records.resellers import credit_document, with_used
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.slot_records import fits
from ticketing_service.storage.sql.writing import Writer

_resellers, _keys, _counters = schema.resellers, schema.reseller_keys, schema.counters
_SELECT = select(_resellers)


class SqlResellers:
    """The `ResellerStore` on an SQL database."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database, self._write = database, writer

    def create(self, reseller: Reseller, *, idempotency: Idempotency | None = None) -> Reseller:
        reseller = replace(reseller, version=1)

        def verb(connection: Connection) -> Reseller:
            connection.execute(insert(_resellers), {"id": reseller.id, "revision": 1, **_row(reseller)})
            _grant(connection, reseller)
            return _reseller(connection, reseller.id) or reseller

        return self._write(verb, idempotency)

    def replace(
        self, reseller: Reseller, expected_version: int, *, idempotency: Idempotency | None = None
    ) -> Reseller:
        return self._write(lambda connection: _replace(connection, reseller, expected_version), idempotency)

    def get(self, reseller_id: UUID) -> Reseller | None:
        with self._database.read() as connection:
            return _reseller(connection, reseller_id)

    def page(self, limit: int, cursor: str | None) -> Page[Reseller]:
        """Newest first."""
        statement = _SELECT.order_by(_resellers.c.id.desc()).limit(limit + 1)
        if cursor is not None:
            statement = statement.where(_resellers.c.id < id_cursor(cursor))
        with self._database.read() as connection:
            found = _resellers_of(connection, connection.execute(statement).all())
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
            found = _resellers_of(connection, connection.execute(_SELECT).all())
            resellers = {reseller.id: reseller for reseller in found}
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
    found = _reseller(connection, reseller.id)
    if found is None:
        raise Refused(Code.RESELLER_NOT_FOUND)
    if changed.rowcount == 0:
        raise Refused(Code.VERSION_CONFLICT, facts={"version": found.version})
    _grant(connection, reseller)
    return _reseller(connection, reseller.id) or found


def _grant(connection: Connection, reseller: Reseller) -> None:
    """Make the counters of its accounts what its credit says. Raises CREDIT_BELOW_USED."""
    for index, credit in enumerate(reseller.credit):
        counter_id = credit_counter_id(reseller.id, credit.currency)
        this = _counters.c.id == counter_id
        changed = update(_counters).where(this, fits(credit.capacity)).values(capacity=credit.capacity)
        if connection.execute(changed).rowcount:
            continue
        row = connection.execute(select(_counters).where(this)).one_or_none()
        if row is not None:
            facts = {"used": row.held + row.sold}
            raise Refused(Code.CREDIT_BELOW_USED, pointer=f"/credit/{index}/limit", facts=facts)
        connection.execute(insert(_counters), {"id": counter_id, "capacity": credit.capacity})


def _reseller(connection: Connection, reseller_id: UUID) -> Reseller | None:
    rows = connection.execute(_SELECT.where(_resellers.c.id == reseller_id)).all()
    return next(iter(_resellers_of(connection, rows)), None)


def _resellers_of(connection: Connection, rows: Iterable[Any]) -> list[Reseller]:
    """With what is used of their credit."""
    bare = [_reseller_of(row) for row in rows]
    wanted = [credit_counter_id(each.id, credit.currency) for each in bare for credit in each.credit]
    if not wanted:
        return bare
    counted = select(_counters).where(_counters.c.id.in_(wanted))
    return with_used(bare, {row.id: row.held + row.sold for row in connection.execute(counted)})


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
        "markup_basis_points": reseller.markup_basis_points,
        "net_basis_points": reseller.net_basis_points,
        "credit": credit_document(reseller.credit),
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
        markup_basis_points=row.markup_basis_points,
        net_basis_points=row.net_basis_points,
        credit=tuple(Credit(**each) for each in row.credit),
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
        "is_test": key.is_test,
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
        is_test=row.is_test,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
