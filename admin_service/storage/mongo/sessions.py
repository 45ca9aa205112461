"""Sessions, and the attempts to begin one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from admin_service.domain.audit import AuditEvent, Origin
from admin_service.domain.sessions import REMEMBERED, Session, refreshed_until
from admin_service.storage.mongo import attempts, audit
from admin_service.storage.mongo.people_collections import links, refresh_tokens, sessions, sign_in_attempts
from admin_service.storage.mongo.standing import count_up
from admin_service.storage.mongo.user_records import set_fields, user_in
from admin_service.storage.ports.sessions import Refreshed, Turn
from common.mongo.collections import Collection
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import Document, instant, ms
from common.mongo.writing import Write

KEPT = timedelta(days=1)
"""How long what is over is kept: longer than anybody asks for it."""


def end_sessions(tx: Transaction, user_id: UUID, keep: UUID | None, now: datetime) -> int:
    """End the sessions of a user but `keep`; says how many."""
    ended = tx.update_all(sessions, _others(user_id, keep, now), {"$set": {"ended_at": ms(now)}})
    if ended:
        count_up(tx)
    return ended


class MongoSessions:
    """The `SessionStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, write: Write) -> None:
        self._database, self._write = database, write

    def attempt(self, email_hash: str, now: datetime) -> None:
        """See SessionStore."""
        self._write(lambda tx: attempts.count(tx, email_hash, now))

    def take_back(self, email_hash: str) -> None:
        """See SessionStore."""
        self._write(lambda tx: attempts.take_back(tx, email_hash))

    def unlock(self, email_hash: str, event: AuditEvent) -> None:
        """See SessionStore."""

        def verb(tx: Transaction) -> None:
            audit.append(tx, event)
            attempts.forget(tx, email_hash)

        self._write(verb)

    def locked_until(self, email_hash: str, now: datetime) -> datetime | None:
        """See SessionStore."""
        with self._database.read() as tx:
            return attempts.locked_until(tx, email_hash, now)

    def open(self, session: Session, refresh_hash: str, email_hash: str, event: AuditEvent) -> None:
        """See SessionStore."""

        def verb(tx: Transaction) -> None:
            audit.append(tx, event)
            tx.insert(sessions, [_document(session)])
            _add_token(tx, refresh_hash, session.id, session.created_at)
            attempts.forget(tx, email_hash)
            set_fields(tx, session.user_id, last_sign_in_at=ms(session.created_at))

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
        return self._write(lambda tx: _refresh(tx, refresh_hash, next_hash, now, origin, grace))

    def get(self, session_id: UUID) -> Session | None:
        """See SessionStore."""
        with self._database.read() as tx:
            return _session_in(tx, session_id)

    def of_user(self, user_id: UUID, now: datetime) -> tuple[Session, ...]:
        """See SessionStore."""
        with self._database.read() as tx:
            found = tx.find(sessions, {"user_id": user_id, **_alive(now)}, sort=[("used_at", -1), ("_id", 1)])
        return tuple(map(_session_of, found))

    def end(self, user_id: UUID, session_id: UUID, now: datetime, event: AuditEvent) -> bool:
        """See SessionStore."""
        that = {"_id": session_id, "user_id": user_id, **_alive(now)}

        def verb(tx: Transaction) -> bool:
            if tx.one(sessions, that, ["_id"]) is None:
                return False
            audit.append(tx, event)
            tx.update(sessions, that, {"$set": {"ended_at": ms(now)}})
            count_up(tx)
            return True

        return self._write(verb)

    def end_all(self, user_id: UUID, keep: UUID | None, now: datetime, event: AuditEvent) -> int:
        """See SessionStore."""

        def verb(tx: Transaction) -> int:
            if tx.one(sessions, _others(user_id, keep, now), ["_id"]) is None:
                return 0
            audit.append(tx, event)
            return end_sessions(tx, user_id, keep, now)

        return self._write(verb)

    def active(self, now: datetime) -> int:
        """See SessionStore."""
        with self._database.read() as tx:
            return tx.count(sessions, _alive(now))

    def purge(self, now: datetime, limit: int) -> int:
        """See SessionStore."""
        return self._write(lambda tx: _purge(tx, now, limit))


def _others(user_id: UUID, keep: UUID | None, now: datetime) -> dict[str, Any]:
    mine: dict[str, Any] = {"user_id": user_id, **_alive(now)}
    return mine if keep is None else {**mine, "_id": {"$ne": keep}}


def _alive(now: datetime) -> dict[str, Any]:
    return {"ended_at": None, "expires_at": {"$gt": ms(now)}}


def _add_token(tx: Transaction, hashed: str, session_id: UUID, now: datetime) -> None:
    token = {"_id": hashed, "session_id": session_id, "created_at": ms(now), "used_at": None}
    tx.insert(refresh_tokens, [token])


def _refresh(
    tx: Transaction,
    refresh_hash: str,
    next_hash: str,
    now: datetime,
    origin: Origin,
    grace: timedelta,
) -> Refreshed:
    token = tx.one(refresh_tokens, {"_id": refresh_hash})
    session = None if token is None else _session_in(tx, token["session_id"])
    if token is None or session is None:
        return Refreshed(turn=Turn.UNKNOWN)
    if session.ended_at is not None or session.expires_at <= now:
        return Refreshed(turn=Turn.ENDED)
    used_at: datetime | None = instant(token["used_at"])
    # a session bears the instant of its last refreshing: if that was by this token, the next one is unused
    just_used = used_at is not None and used_at == session.used_at and now < used_at + grace
    if used_at is not None and not just_used:
        _end_reused(tx, session, now, origin)
        return Refreshed(turn=Turn.REUSED)
    user = user_in(tx, session.user_id)
    if user is None or not user.is_active:
        return Refreshed(turn=Turn.ENDED)
    if just_used:
        return Refreshed(turn=Turn.JUST_USED, session=session, user=user)
    tx.update(refresh_tokens, {"_id": refresh_hash}, {"$set": {"used_at": ms(now)}})
    _add_token(tx, next_hash, session.id, now)
    values = {"used_at": ms(now), "expires_at": ms(refreshed_until(session.created_at, now))}
    # the guard meets whoever ends the session beside us
    tx.update(sessions, {"_id": session.id, "ended_at": None}, {"$set": values})
    return Refreshed(turn=Turn.REFRESHED, session=session, user=user)


def _end_reused(tx: Transaction, session: Session, now: datetime, origin: Origin) -> None:
    event = AuditEvent(
        at=now,
        origin=origin,
        action="sessions.reuse",
        subject=str(session.user_id),
        after={"sessionId": str(session.id)},
    )
    audit.append(tx, event)
    tx.update(sessions, {"_id": session.id}, {"$set": {"ended_at": ms(now)}})
    count_up(tx)


def _purge(tx: Transaction, now: datetime, limit: int) -> int:
    over = {
        "$or": [{"expires_at": {"$lt": ms(now - KEPT)}}, {"ended_at": {"$lt": ms(now - KEPT - REMEMBERED)}}]
    }
    ids = _ids(tx, sessions, over, limit)
    tx.delete(refresh_tokens, {"session_id": {"$in": ids}})
    gone = tx.delete(sessions, {"_id": {"$in": ids}})
    old_links = _ids(tx, links, {"expires_at": {"$lt": ms(now)}}, limit)
    gone += tx.delete(links, {"_id": {"$in": old_links}})
    quiet = {"last_at": {"$lt": ms(now - KEPT)}}
    hashes = _ids(tx, sign_in_attempts, quiet, limit)
    return gone + tx.delete(sign_in_attempts, {"_id": {"$in": hashes}, **quiet})


def _ids(tx: Transaction, collection: Collection, condition: dict[str, Any], limit: int) -> list[Any]:
    return [each["_id"] for each in tx.find(collection, condition, limit=limit, fields=["_id"])]


def _session_in(tx: Transaction, session_id: UUID) -> Session | None:
    found = tx.one(sessions, {"_id": session_id})
    return None if found is None else _session_of(found)


def _document(session: Session) -> Document:
    return {
        "_id": session.id,
        "user_id": session.user_id,
        "address": session.address,
        "agent": session.agent,
        "created_at": ms(session.created_at),
        "used_at": ms(session.used_at),
        "expires_at": ms(session.expires_at),
        "ended_at": ms(session.ended_at),
    }


def _session_of(found: Document) -> Session:
    return Session(
        id=found["_id"],
        user_id=found["user_id"],
        address=found["address"],
        agent=found["agent"],
        created_at=instant(found["created_at"]),
        used_at=instant(found["used_at"]),
        expires_at=instant(found["expires_at"]),
        ended_at=instant(found["ended_at"]),
    )
