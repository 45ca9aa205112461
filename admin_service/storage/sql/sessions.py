"""Sessions, and the attempts to begin one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from admin_service.domain.audit import AuditEvent, Origin
from admin_service.domain.sessions import REMEMBERED, Session, refreshed_until
from admin_service.domain.users import User
from admin_service.storage.ports.sessions import Refreshed, Turn
from admin_service.storage.sql import attempts, audit
from admin_service.storage.sql.people_tables import links, refresh_tokens, sessions, sign_in_attempts
from admin_service.storage.sql.standing import count_up
from admin_service.storage.sql.user_records import set_columns, user_in
from common.database.engine import Database
from common.database.writing import Write

KEPT = timedelta(days=1)
"""How long what is over is kept: longer than anybody asks for it."""


def end_sessions(connection: Connection, user_id: UUID, keep: UUID | None, now: datetime) -> int:
    """End the sessions of a user but `keep`; says how many."""
    mine = [sessions.c.user_id == user_id, sessions.c.ended_at.is_(None), sessions.c.expires_at > now]
    if keep is not None:
        mine.append(sessions.c.id != keep)
    ended = connection.execute(update(sessions).where(*mine).values(ended_at=now)).rowcount
    if ended:
        count_up(connection)
    return ended


class SqlSessions:
    """The `SessionStore` on an SQL database."""

    def __init__(self, database: Database, write: Write) -> None:
        self._database, self._write = database, write

    def attempt(self, email_hash: str, now: datetime) -> None:
        """See SessionStore."""
        self._write(lambda connection: attempts.count(connection, email_hash, now))

    def take_back(self, email_hash: str) -> None:
        """See SessionStore."""
        self._write(lambda connection: attempts.take_back(connection, email_hash))

    def unlock(self, email_hash: str, event: AuditEvent) -> None:
        """See SessionStore."""

        def verb(connection: Connection) -> None:
            attempts.forget(connection, email_hash)
            audit.append(connection, event)

        self._write(verb)

    def locked_until(self, email_hash: str, now: datetime) -> datetime | None:
        """See SessionStore."""
        with self._database.read() as connection:
            return attempts.locked_until(connection, email_hash, now)

    def open(self, session: Session, refresh_hash: str, email_hash: str, event: AuditEvent) -> None:
        """See SessionStore."""

        def verb(connection: Connection) -> None:
            connection.execute(insert(sessions).values(**_row(session)))
            _add_token(connection, refresh_hash, session.id, session.created_at)
            attempts.forget(connection, email_hash)
            set_columns(connection, session.user_id, last_sign_in_at=session.created_at)
            audit.append(connection, event)

        self._write(verb)

    def refresh(
        self,
        refresh_hash: str,
        next_hash: str,
        now: datetime,
        origin: Origin,
        grace: timedelta = timedelta(0),
    ) -> Refreshed:
        """See SessionStore."""

        def verb(connection: Connection) -> Refreshed:
            return _refresh(connection, refresh_hash, next_hash, now, origin, grace)

        return self._write(verb)

    def get(self, session_id: UUID) -> Session | None:
        """See SessionStore."""
        with self._database.read() as connection:
            row = connection.execute(select(sessions).where(sessions.c.id == session_id)).one_or_none()
        return None if row is None else _session_of(row)

    def of_user(self, user_id: UUID, now: datetime) -> tuple[Session, ...]:
        """See SessionStore."""
        mine = select(sessions).where(sessions.c.user_id == user_id, _alive(now))
        with self._database.read() as connection:
            found = connection.execute(mine.order_by(sessions.c.used_at.desc(), sessions.c.id))
            return tuple(_session_of(row) for row in found)

    def end(self, user_id: UUID, session_id: UUID, now: datetime, event: AuditEvent) -> bool:
        """See SessionStore."""
        that = update(sessions).where(sessions.c.id == session_id, sessions.c.user_id == user_id, _alive(now))

        def verb(connection: Connection) -> bool:
            if connection.execute(that.values(ended_at=now)).rowcount == 0:
                return False
            count_up(connection)
            audit.append(connection, event)
            return True

        return self._write(verb)

    def end_all(self, user_id: UUID, keep: UUID | None, now: datetime, event: AuditEvent) -> int:
        """See SessionStore."""

        def verb(connection: Connection) -> int:
            ended = end_sessions(connection, user_id, keep, now)
            if ended:
                audit.append(connection, event)
            return ended

        return self._write(verb)

    def active(self, now: datetime) -> int:
        """See SessionStore."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(sessions).where(_alive(now))) or 0

    def purge(self, now: datetime, limit: int) -> int:
        """See SessionStore."""
        return self._write(lambda connection: _purge(connection, now, limit))


def _alive(now: datetime) -> ColumnElement[bool]:
    return sessions.c.ended_at.is_(None) & (sessions.c.expires_at > now)


def _add_token(connection: Connection, hashed: str, session_id: UUID, now: datetime) -> None:
    row = {"hash": hashed, "session_id": session_id, "created_at": now, "used_at": None}
    connection.execute(insert(refresh_tokens).values(**row))


def _refresh(
    connection: Connection,
    refresh_hash: str,
    next_hash: str,
    now: datetime,
    origin: Origin,
    grace: timedelta,
) -> Refreshed:
    by_hash = select(refresh_tokens).where(refresh_tokens.c.hash == refresh_hash).with_for_update()
    token = connection.execute(by_hash).one_or_none()
    if token is None:
        return Refreshed(turn=Turn.UNKNOWN)
    by_id = select(sessions).where(sessions.c.id == token.session_id).with_for_update()
    session = _session_of(connection.execute(by_id).one())
    if session.ended_at is not None or session.expires_at <= now:
        return Refreshed(turn=Turn.ENDED)
    # a session bears the instant of its last refreshing: if that was by this token, the next one is unused
    just_used = token.used_at == session.used_at and token.used_at is not None and now < token.used_at + grace
    if token.used_at is not None and not just_used:
        _end_reused(connection, session, now, origin)
        return Refreshed(turn=Turn.REUSED)
    user: User | None = user_in(connection, session.user_id)
    if user is None or not user.is_active:
        return Refreshed(turn=Turn.ENDED)
    if just_used:
        return Refreshed(turn=Turn.JUST_USED, session=session, user=user)
    used = update(refresh_tokens).where(refresh_tokens.c.hash == refresh_hash)
    connection.execute(used.values(used_at=now))
    _add_token(connection, next_hash, session.id, now)
    values = {"used_at": now, "expires_at": refreshed_until(session.created_at, now)}
    connection.execute(update(sessions).where(sessions.c.id == session.id).values(**values))
    return Refreshed(turn=Turn.REFRESHED, session=session, user=user)


def _end_reused(connection: Connection, session: Session, now: datetime, origin: Origin) -> None:
    connection.execute(update(sessions).where(sessions.c.id == session.id).values(ended_at=now))
    count_up(connection)
    event = AuditEvent(
        at=now,
        origin=origin,
        action="sessions.reuse",
        subject=str(session.user_id),
        after={"sessionId": str(session.id)},
    )
    audit.append(connection, event)


def _purge(connection: Connection, now: datetime, limit: int) -> int:
    over = select(sessions.c.id).where(
        (sessions.c.expires_at < now - KEPT) | (sessions.c.ended_at < now - KEPT - REMEMBERED)
    )
    ids = connection.scalars(over.limit(limit)).all()
    connection.execute(delete(refresh_tokens).where(refresh_tokens.c.session_id.in_(ids)))
    gone = connection.execute(delete(sessions).where(sessions.c.id.in_(ids))).rowcount
    old_links = connection.scalars(select(links.c.hash).where(links.c.expires_at < now).limit(limit)).all()
    gone += connection.execute(delete(links).where(links.c.hash.in_(old_links))).rowcount
    quiet = sign_in_attempts.c.last_at < now - KEPT
    hashes = connection.scalars(select(sign_in_attempts.c.email_hash).where(quiet).limit(limit)).all()
    still = sign_in_attempts.c.email_hash.in_(hashes) & quiet
    return gone + connection.execute(delete(sign_in_attempts).where(still)).rowcount


def _row(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "user_id": session.user_id,
        "address": session.address,
        "agent": session.agent,
        "created_at": session.created_at,
        "used_at": session.used_at,
        "expires_at": session.expires_at,
        "ended_at": session.ended_at,
    }


def _session_of(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        user_id=row.user_id,
        address=row.address,
        agent=row.agent,
        created_at=row.created_at,
        used_at=row.used_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )
