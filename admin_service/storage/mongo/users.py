"""People who sign in."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pymongo.errors import DuplicateKeyError

from admin_service.domain.audit import AuditEvent
from admin_service.domain.errors import Code, Refused
from admin_service.domain.users import SecondFactor, User, email_hash, email_key, may_do_otherwise
from admin_service.storage.mongo import attempts, audit
from admin_service.storage.mongo.outbox import add_task
from admin_service.storage.mongo.people_collections import links, sessions, users
from admin_service.storage.mongo.sessions import end_sessions
from admin_service.storage.mongo.standing import count_up
from admin_service.storage.mongo.user_records import (
    factor_fields,
    forget_kept,
    known_user,
    new_user,
    set_fields,
    user_fields,
    user_in,
    user_of,
)
from admin_service.storage.ports.users import UserQuery
from common.database.cursors import page_from, sorted_cursor
from common.mongo.database import MongoDatabase
from common.mongo.keyset import after
from common.mongo.transaction import Transaction
from common.mongo.values import ms
from common.mongo.writing import Write
from common.pages import Page
from common.web.idempotency import Idempotency


class MongoUsers:
    """The `UserStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, write: Write) -> None:
        self._database, self._write = database, write

    def create(
        self, user: User, event: AuditEvent, *, invite: bool, idempotency: Idempotency | None = None
    ) -> User:
        """See UserStore."""

        def verb(tx: Transaction) -> User:
            audit.append(tx, event)
            try:
                tx.insert(users, [new_user(user)])
            except DuplicateKeyError as error:
                raise Refused(Code.EMAIL_TAKEN, pointer="/email") from error
            if invite:
                payload = {"template": "invite", "userId": str(user.id)}
                add_task(tx, "mail", payload, user.created_at)
            return user

        return self._write(verb, idempotency)

    def get(self, user_id: UUID) -> User | None:
        """See UserStore."""
        with self._database.read() as tx:
            return user_in(tx, user_id)

    def by_email(self, email: str) -> User | None:
        """See UserStore."""
        with self._database.read() as tx:
            found = tx.one(users, {"email_key": email_key(email)})
        return None if found is None else user_of(found)

    def page(self, query: UserQuery) -> Page[User]:
        """See UserStore."""
        wanted: list[dict[str, Any]] = []
        if query.text is not None:
            part = {"$regex": re.escape(query.text.casefold())}
            wanted.append({"$or": [{"email_key": part}, {"name_key": part}]})
        if query.role is not None:
            wanted.append({"roles": query.role})
        if query.status is not None:
            wanted.append({"status": query.status.value})
        if query.cursor is not None:
            wanted.append(after("email_key", *sorted_cursor(query.cursor, str)))
        condition = {"$and": wanted} if wanted else {}
        with self._database.read() as tx:
            rows = tx.find(users, condition, sort=[("email_key", 1), ("_id", 1)], limit=query.limit + 1)
        found = [user_of(each) for each in rows]
        return page_from(found, query.limit, lambda user: (email_key(user.email), str(user.id)))

    def replace(self, user: User, expected_version: int, event: AuditEvent) -> User:
        """See UserStore."""
        return self._write(lambda tx: _replace(tx, user, expected_version, event))

    def erase(self, user: User, former_email_hash: str, event: AuditEvent) -> None:
        """See UserStore."""

        def verb(tx: Transaction) -> None:
            before = known_user(tx, user.id)
            erased = audit.erase_user(tx, user.id)
            _replace(tx, user, before.version, replace(event, after={**event.after, "entries": erased}))
            forget_kept(tx, before)
            set_fields(tx, user.id, **factor_fields(user.factor), password_hash=None, last_sign_in_at=None)
            tx.delete(links, {"user_id": user.id})
            attempts.forget(tx, former_email_hash)
            tx.update_all(sessions, {"user_id": user.id}, {"$set": {"address": "", "agent": ""}})

        self._write(verb)

    def set_password(self, user_id: UUID, password_hash: str, keep: UUID | None, event: AuditEvent) -> None:
        """See UserStore."""

        def verb(tx: Transaction) -> None:
            known_user(tx, user_id)
            audit.append(tx, event)
            set_fields(tx, user_id, password_hash=password_hash)
            end_sessions(tx, user_id, keep, event.at)
            _use_up_links(tx, user_id, event.at)

        self._write(verb)

    def rehash(self, user_id: UUID, old_hash: str, new_hash: str) -> None:
        """See UserStore."""
        same = {"_id": user_id, "password_hash": old_hash}
        self._write(lambda tx: tx.update(users, same, {"$set": {"password_hash": new_hash}}))

    def set_factor(self, user_id: UUID, factor: SecondFactor, event: AuditEvent | None) -> None:
        """See UserStore."""

        def verb(tx: Transaction) -> None:
            known_user(tx, user_id)
            if event is not None:
                audit.append(tx, event)
            set_fields(tx, user_id, **factor_fields(factor))

        self._write(verb)

    def use_code(self, user_id: UUID, step: int) -> bool:
        """See UserStore."""
        unused = {"_id": user_id, "last_step": {"$lt": step}}
        return self._write(lambda tx: tx.update(users, unused, {"$set": {"last_step": step}})) == 1

    def use_recovery(self, user_id: UUID, code_hash: str, event: AuditEvent) -> bool:
        """See UserStore."""
        that = {"_id": user_id, "recovery_hashes": code_hash}

        def verb(tx: Transaction) -> bool:
            known_user(tx, user_id)
            if not tx.update(users, that, {"$pull": {"recovery_hashes": code_hash}}):
                return False
            audit.append(tx, event)
            return True

        return self._write(verb)

    def put_link(self, link_hash: str, user_id: UUID, purpose: str, expires_at: datetime) -> None:
        """See UserStore."""
        link = {
            "_id": link_hash,
            "user_id": user_id,
            "purpose": purpose,
            "expires_at": ms(expires_at),
            "used_at": None,
        }
        self._write(lambda tx: tx.insert_new(links, link))

    def by_link(self, link_hash: str, now: datetime) -> User | None:
        """See UserStore."""
        with self._database.read() as tx:
            link = tx.one(links, _good(link_hash, now))
            user = None if link is None else user_in(tx, link["user_id"])
        return user if user is not None and user.is_active else None

    def spend_link(self, link_hash: str, password_hash: str, now: datetime, event: AuditEvent) -> bool:
        """See UserStore."""
        return self._write(lambda tx: _spend(tx, link_hash, password_hash, now, event))


def _replace(tx: Transaction, user: User, expected_version: int, event: AuditEvent) -> User:
    before = known_user(tx, user.id)
    if before.version != expected_version:
        raise Refused(Code.VERSION_CONFLICT, facts={"version": before.version})
    audit.append(tx, event)
    changed = may_do_otherwise(before, user)
    stored = replace(
        before,
        email=user.email,
        name=user.name,
        language=user.language,
        roles=user.roles,
        poi_ids=user.poi_ids,
        status=user.status,
        privileges=before.privileges + changed,
        updated_at=event.at,
        version=expected_version + 1,
    )
    if before.is_administrator and not stored.is_administrator:
        _leave_somebody(tx, user.id)
    values = user_fields(stored)
    if changed:
        values["privileges_changed_at"] = ms(event.at)
    try:
        set_fields(tx, user.id, **values)
    except DuplicateKeyError as error:
        raise Refused(Code.EMAIL_TAKEN, pointer="/email") from error
    if email_key(before.email) != email_key(stored.email):
        _use_up_links(tx, user.id, event.at)  # they are in a mailbox that is another's now
    if not stored.is_active:
        end_sessions(tx, user.id, None, event.at)
    if changed:
        count_up(tx)
    return stored


def _leave_somebody(tx: Transaction, user_id: UUID) -> None:
    """Another administrator is there. Raises LAST_ADMINISTRATOR.

    Of two who take the role from each other, neither touches what the other one reads; but both have taken
    the end of the audit trail before they look: the later one is run again, and sees what the first has done.
    """
    if tx.one(users, {"administrator": True, "_id": {"$ne": user_id}}, ["_id"]) is None:
        raise Refused(Code.LAST_ADMINISTRATOR)


def _use_up_links(tx: Transaction, user_id: UUID, now: datetime) -> None:
    """None of the user's links is good any more. They stay: a repeated task finds its link used."""
    tx.update_all(links, {"user_id": user_id, "used_at": None}, {"$set": {"used_at": ms(now)}})


def _good(link_hash: str, now: datetime) -> dict[str, Any]:
    return {"_id": link_hash, "used_at": None, "expires_at": {"$gt": ms(now)}}


def _spend(tx: Transaction, link_hash: str, password_hash: str, now: datetime, event: AuditEvent) -> bool:
    link = tx.one(links, _good(link_hash, now))
    if link is None:
        return False
    user = known_user(tx, link["user_id"])
    if not user.is_active:
        return False
    audit.append(tx, replace(event, subject=str(user.id), after={"by": link["purpose"]}))
    set_fields(tx, user.id, password_hash=password_hash)
    _use_up_links(tx, user.id, now)
    attempts.forget(tx, email_hash(user.email))
    end_sessions(tx, user.id, None, now)
    return True
