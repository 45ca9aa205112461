"""People who sign in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, String, delete, func, insert, or_, select, type_coerce, update
from sqlalchemy.exc import IntegrityError

from admin_service.domain.audit import AuditEvent
from admin_service.domain.errors import Code, Refused
from admin_service.domain.users import SecondFactor, User, email_hash, email_key, may_do_otherwise
from admin_service.storage.ports.users import UserQuery
from admin_service.storage.sql import audit
from admin_service.storage.sql.outbox import add_task
from admin_service.storage.sql.people_tables import links, sessions, sign_in_attempts, users
from admin_service.storage.sql.sessions import end_sessions
from admin_service.storage.sql.standing import count_up
from admin_service.storage.sql.user_records import (
    factor_row,
    forget_kept,
    known_user,
    new_user_row,
    set_columns,
    user_in,
    user_of,
    user_row,
)
from common.database.engine import Database
from common.database.inserting import insert_new
from common.database.keyset import after, page_from, sorted_cursor
from common.database.writing import Write
from common.pages import Page
from common.web.idempotency import Idempotency


class SqlUsers:
    """The `UserStore` on an SQL database."""

    def __init__(self, database: Database, write: Write) -> None:
        self._database, self._write = database, write

    def create(
        self, user: User, event: AuditEvent, *, invite: bool, idempotency: Idempotency | None = None
    ) -> User:
        """See UserStore."""

        def verb(connection: Connection) -> User:
            try:
                connection.execute(insert(users).values(**new_user_row(user)))
            except IntegrityError as error:
                raise Refused(Code.EMAIL_TAKEN, pointer="/email") from error
            if invite:
                payload = {"template": "invite", "userId": str(user.id)}
                add_task(connection, "mail", payload, user.created_at)
            audit.append(connection, event)
            return user

        return self._write(verb, idempotency)

    def get(self, user_id: UUID) -> User | None:
        """See UserStore."""
        with self._database.read() as connection:
            return user_in(connection, user_id)

    def by_email(self, email: str) -> User | None:
        """See UserStore."""
        statement = select(users).where(users.c.email_key == email_key(email))
        with self._database.read() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else user_of(row)

    def page(self, query: UserQuery) -> Page[User]:
        """See UserStore."""
        statement = select(users).order_by(users.c.email_key, users.c.id).limit(query.limit + 1)
        if query.text is not None:
            text = query.text.casefold()
            named = func.lower(users.c.name).contains(text, autoescape=True)
            statement = statement.where(or_(users.c.email_key.contains(text, autoescape=True), named))
        if query.role is not None:
            # roles are kept as a JSON text
            statement = statement.where(type_coerce(users.c.roles, String).contains(f'"{query.role}"'))
        if query.status is not None:
            statement = statement.where(users.c.status == query.status.value)
        if query.cursor is not None:
            key, last = sorted_cursor(query.cursor, str)
            statement = statement.where(after(users.c.email_key, users.c.id, key, last))
        with self._database.read() as connection:
            found = [user_of(row) for row in connection.execute(statement)]
        return page_from(found, query.limit, lambda user: (email_key(user.email), str(user.id)))

    def replace(self, user: User, expected_version: int, event: AuditEvent) -> User:
        """See UserStore."""
        return self._write(lambda connection: _replace(connection, user, expected_version, event))

    def erase(self, user: User, former_email_hash: str, event: AuditEvent) -> None:
        """See UserStore."""

        def verb(connection: Connection) -> None:
            before = known_user(connection, user.id)
            values = {**factor_row(user.factor), "password_hash": None, "last_sign_in_at": None}
            set_columns(connection, user.id, **values)
            connection.execute(delete(links).where(links.c.user_id == user.id))
            failed = sign_in_attempts.c.email_hash == former_email_hash
            connection.execute(delete(sign_in_attempts).where(failed))
            forget_kept(connection, before)
            mine = update(sessions).where(sessions.c.user_id == user.id)
            connection.execute(mine.values(address="", agent=""))
            erased = audit.erase_user(connection, user.id)
            noted = replace(event, after={**event.after, "entries": erased})
            _replace(connection, user, before.version, noted)

        self._write(verb)

    def set_password(self, user_id: UUID, password_hash: str, keep: UUID | None, event: AuditEvent) -> None:
        """See UserStore."""

        def verb(connection: Connection) -> None:
            known_user(connection, user_id)
            set_columns(connection, user_id, password_hash=password_hash)
            end_sessions(connection, user_id, keep, event.at)
            _use_up_links(connection, user_id, event.at)
            audit.append(connection, event)

        self._write(verb)

    def rehash(self, user_id: UUID, old_hash: str, new_hash: str) -> None:
        """See UserStore."""
        same = update(users).where(users.c.id == user_id, users.c.password_hash == old_hash)
        self._write(lambda connection: connection.execute(same.values(password_hash=new_hash)))

    def set_factor(self, user_id: UUID, factor: SecondFactor, event: AuditEvent | None) -> None:
        """See UserStore."""

        def verb(connection: Connection) -> None:
            known_user(connection, user_id)
            set_columns(connection, user_id, **factor_row(factor))
            if event is not None:
                audit.append(connection, event)

        self._write(verb)

    def use_code(self, user_id: UUID, step: int) -> bool:
        """See UserStore."""
        unused = update(users).where(users.c.id == user_id, users.c.last_step < step)
        return self._write(lambda connection: connection.execute(unused.values(last_step=step)).rowcount == 1)

    def use_recovery(self, user_id: UUID, code_hash: str, event: AuditEvent) -> bool:
        """See UserStore."""

        def verb(connection: Connection) -> bool:
            left = known_user(connection, user_id).factor.recovery_hashes
            if code_hash not in left:
                return False
            fewer = [each for each in left if each != code_hash]
            set_columns(connection, user_id, recovery_hashes=fewer)
            audit.append(connection, event)
            return True

        return self._write(verb)

    def put_link(self, link_hash: str, user_id: UUID, purpose: str, expires_at: datetime) -> None:
        """See UserStore."""
        row = {
            "hash": link_hash,
            "user_id": user_id,
            "purpose": purpose,
            "expires_at": expires_at,
            "used_at": None,
        }
        self._write(lambda connection: connection.execute(insert_new(connection, links).values(**row)))

    def by_link(self, link_hash: str, now: datetime) -> User | None:
        """See UserStore."""
        good = (links.c.hash == link_hash, links.c.used_at.is_(None), links.c.expires_at > now)
        statement = select(users).join(links, links.c.user_id == users.c.id).where(*good)
        with self._database.read() as connection:
            row = connection.execute(statement).one_or_none()
        user = None if row is None else user_of(row)
        return user if user is not None and user.is_active else None

    def spend_link(self, link_hash: str, password_hash: str, now: datetime, event: AuditEvent) -> bool:
        """See UserStore."""
        return self._write(lambda connection: _spend(connection, link_hash, password_hash, now, event))


def _replace(connection: Connection, user: User, expected_version: int, event: AuditEvent) -> User:
    before = known_user(connection, user.id)
    if before.version != expected_version:
        raise Refused(Code.VERSION_CONFLICT, facts={"version": before.version})
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
        _leave_somebody(connection, user.id)
    values = user_row(stored)
    if changed:
        values["privileges_changed_at"] = event.at
    try:
        set_columns(connection, user.id, **values)
    except IntegrityError as error:
        raise Refused(Code.EMAIL_TAKEN, pointer="/email") from error
    if email_key(before.email) != email_key(stored.email):
        _use_up_links(connection, user.id, event.at)  # they are in a mailbox that is another's now
    if not stored.is_active:
        end_sessions(connection, user.id, None, event.at)
    if changed:
        count_up(connection)
    audit.append(connection, event)
    return stored


def _leave_somebody(connection: Connection, user_id: UUID) -> None:
    """Another administrator is there, and stays until the end of this transaction. Raises LAST_ADMINISTRATOR.

    All are locked, in one order: of two who take the role from each other one waits for the other.
    """
    statement = select(users.c.id).where(users.c.administrator.is_(True)).order_by(users.c.id)
    found = connection.scalars(statement.with_for_update()).all()
    if not set(found) - {user_id}:
        raise Refused(Code.LAST_ADMINISTRATOR)


def _use_up_links(connection: Connection, user_id: UUID, now: datetime) -> None:
    """None of the user's links is good any more. Their rows stay: a repeated task finds its link used."""
    unused = update(links).where(links.c.user_id == user_id, links.c.used_at.is_(None))
    connection.execute(unused.values(used_at=now))


def _spend(
    connection: Connection, link_hash: str, password_hash: str, now: datetime, event: AuditEvent
) -> bool:
    link = connection.execute(select(links).where(links.c.hash == link_hash).with_for_update()).one_or_none()
    if link is None or link.used_at is not None or link.expires_at <= now:
        return False
    user = known_user(connection, link.user_id)
    if not user.is_active:
        return False
    set_columns(connection, user.id, password_hash=password_hash)
    _use_up_links(connection, user.id, now)
    failed = sign_in_attempts.c.email_hash == email_hash(user.email)
    connection.execute(delete(sign_in_attempts).where(failed))
    end_sessions(connection, user.id, None, now)
    audit.append(connection, replace(event, subject=str(user.id), after={"by": link.purpose}))
    return True
