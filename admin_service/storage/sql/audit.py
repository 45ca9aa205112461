"""The audit trail: a chain of rows that is only ever added to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from admin_service.domain.audit import FIRST_HASH, AuditEntry, AuditEvent, Origin, Seal, chained
from admin_service.storage.ports.audit import AuditQuery
from admin_service.storage.sql import schema
from common.auth.policy import ACCESS_KIND, GUEST_KIND
from common.database.engine import Database
from common.database.inserting import insert_new
from common.database.keyset import number_cursor, page_from
from common.database.writing import Write
from common.pages import Page

_audit, _head = schema.audit, schema.audit_head
_ONLY = 1


def append(connection: Connection, event: AuditEvent) -> AuditEntry:
    """Add the event at the end of the chain, within the commit of what it tells of.

    Holds the end of the chain until that commit, so call it last.
    """
    number, previous = _taken_end(connection)
    entry = chained(number + 1, event, previous)
    connection.execute(insert(_audit).values(**_row(entry)))
    connection.execute(update(_head).where(_head.c.id == _ONLY).values(number=entry.number, hash=entry.hash))
    return entry


def erase_user(connection: Connection, user_id: UUID) -> int:
    """Take out from where the user did something, and what named the user; says of how many entries."""
    erased = _erase_addresses(connection, _audit.c.actor == f"{ACCESS_KIND}:{user_id}")
    erased += erase_subjects(connection, (str(user_id),))
    named = _audit.c.personal_salt.is_not(None) & (_audit.c.subject == str(user_id))
    nothing = {"personal": None, "personal_salt": None}
    return erased + connection.execute(update(_audit).where(named).values(**nothing)).rowcount


def erase_subjects(connection: Connection, subjects: Collection[str]) -> int:
    """Take out from where somebody who was not signed in did something to one; says of how many entries."""
    return _erase_addresses(connection, _audit.c.subject.in_(subjects) & (_audit.c.actor == GUEST_KIND))


def _erase_addresses(connection: Connection, which: ColumnElement[bool]) -> int:
    known = update(_audit).where(_audit.c.address_salt.is_not(None), which)
    return connection.execute(known.values(address=None, address_salt=None)).rowcount


class SqlAudit:
    """The `AuditStore` on an SQL database."""

    def __init__(self, database: Database, write: Write) -> None:
        self._database, self._write = database, write

    def append(self, event: AuditEvent) -> AuditEntry:
        """See AuditStore."""
        return self._write(lambda connection: append(connection, event))

    def erase(self, subjects: Collection[str], event: AuditEvent) -> AuditEntry:
        """See AuditStore."""

        def verb(connection: Connection) -> AuditEntry:
            erased = erase_subjects(connection, subjects)
            return append(connection, replace(event, after={**event.after, "entries": erased}))

        return self._write(verb)

    def after(self, number: int, limit: int) -> tuple[AuditEntry, ...]:
        """See AuditStore."""
        statement = select(_audit).where(_audit.c.number > number).order_by(_audit.c.number).limit(limit)
        with self._database.read() as connection:
            return tuple(_entry_of(row) for row in connection.execute(statement))

    def page(self, query: AuditQuery) -> Page[AuditEntry]:
        """See AuditStore."""
        statement = select(_audit).where(*_conditions(query)).order_by(_audit.c.number.desc())
        with self._database.read() as connection:
            rows = connection.execute(statement.limit(query.limit + 1)).all()
        return page_from([_entry_of(row) for row in rows], query.limit, lambda entry: (entry.number,))

    def end(self) -> tuple[int, bytes]:
        """See AuditStore."""
        with self._database.read() as connection:
            row = connection.execute(select(_head.c.number, _head.c.hash)).one_or_none()
        return (0, FIRST_HASH) if row is None else (row.number, bytes(row.hash))

    def counted(self, actions: tuple[str, ...], since: datetime) -> dict[str, int]:
        """See AuditStore."""
        statement = (
            select(_audit.c.action, func.count())
            .where(_audit.c.at >= since, _audit.c.action.in_(actions))
            .group_by(_audit.c.action)
        )
        with self._database.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(statement)}
        return {action: found.get(action, 0) for action in actions}


def _conditions(query: AuditQuery) -> Iterator[ColumnElement[bool]]:
    if query.actor is not None:
        yield _audit.c.actor == query.actor
    if query.subject is not None:
        yield _audit.c.subject == query.subject
    if query.action is not None:
        of_resource = _audit.c.action.startswith(f"{query.action}.", autoescape=True)
        yield _audit.c.action == query.action if "." in query.action else of_resource
    if query.at_from is not None:
        yield _audit.c.at >= query.at_from
    if query.at_to is not None:
        yield _audit.c.at < query.at_to
    if query.cursor is not None:
        yield _audit.c.number < number_cursor(query.cursor)


def _taken_end(connection: Connection) -> tuple[int, bytes]:
    """Number and hash of the last entry; its row stays locked."""
    found = select(_head.c.number, _head.c.hash).where(_head.c.id == _ONLY).with_for_update()
    row = connection.execute(found).one_or_none()
    if row is None:
        first = insert_new(connection, _head).values(id=_ONLY, number=0, hash=FIRST_HASH)
        connection.execute(first)
        row = connection.execute(found).one()
    return row.number, bytes(row.hash)


def _row(entry: AuditEntry) -> dict[str, Any]:
    event = entry.event
    return {
        "number": entry.number,
        "at": event.at,
        "actor": event.origin.actor,
        "address": event.origin.address,
        **_seal_columns("address", entry.address_seal),
        "request_id": event.origin.request_id,
        "action": event.action,
        "subject": event.subject,
        "before": dict(event.before),
        "after": dict(event.after),
        "personal": dict(event.personal()) or None,
        **_seal_columns("personal", entry.personal_seal),
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }


def _seal_columns(name: str, seal: Seal | None) -> dict[str, bytes | None]:
    if seal is None:
        return {f"{name}_salt": None, f"{name}_digest": None}
    return {f"{name}_salt": seal.salt, f"{name}_digest": seal.digest}


def _seal_of(salt: bytes | None, digest: bytes | None) -> Seal | None:
    return None if digest is None else Seal(bytes(digest), None if salt is None else bytes(salt))


def _entry_of(row: Row[Any]) -> AuditEntry:
    personal = row.personal or {}
    event = AuditEvent(
        at=row.at,
        origin=Origin(actor=row.actor, address=row.address, request_id=row.request_id),
        action=row.action,
        subject=row.subject,
        before=row.before,
        after=row.after,
        personal_before=personal.get("before", {}),
        personal_after=personal.get("after", {}),
    )
    return AuditEntry(
        number=row.number,
        event=event,
        previous_hash=bytes(row.previous_hash),
        hash=bytes(row.hash),
        address_seal=_seal_of(row.address_salt, row.address_digest),
        personal_seal=_seal_of(row.personal_salt, row.personal_digest),
    )
