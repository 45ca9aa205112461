"""Users as rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Text, and_, delete, func, select, type_coerce, update

from admin_service.domain.errors import Code, Refused
from admin_service.domain.users import SecondFactor, User, UserStatus, email_key
from admin_service.storage.sql import schema
from admin_service.storage.sql.people_tables import users
from common.auth.policy import ACCESS_KIND


def user_in(connection: Connection, user_id: UUID, *, locked: bool = False) -> User | None:
    """The user; `locked` until the end of this transaction."""
    statement = select(users).where(users.c.id == user_id)
    row = connection.execute(statement.with_for_update() if locked else statement).one_or_none()
    return None if row is None else user_of(row)


def known_user(connection: Connection, user_id: UUID) -> User:
    """The user, locked until the end of this transaction. Raises USER_NOT_FOUND."""
    found = user_in(connection, user_id, locked=True)
    if found is None:
        raise Refused(Code.USER_NOT_FOUND)
    return found


def user_row(user: User) -> dict[str, Any]:
    """What people write of a user, as columns."""
    return {
        "email": user.email,
        "email_key": email_key(user.email),
        "name": user.name,
        "language": user.language,
        "roles": list(user.roles),
        "poi_ids": None if user.poi_ids is None else _texts(user.poi_ids),
        "status": user.status.value,
        "administrator": user.is_administrator,
        "privileges": user.privileges,
        "updated_at": user.updated_at,
        "version": user.version,
    }


def new_user_row(user: User) -> dict[str, Any]:
    """All columns of a new user."""
    return {
        **user_row(user),
        **factor_row(user.factor),
        "id": user.id,
        "privileges_changed_at": user.created_at,
        "password_hash": user.password_hash,
        "created_at": user.created_at,
        "last_sign_in_at": None,
    }


def factor_row(factor: SecondFactor) -> dict[str, Any]:
    """The second factor as columns."""
    return {
        "sealed_secret": factor.sealed_secret,
        "sealed_pending": factor.sealed_pending,
        "last_step": factor.last_step,
        "recovery_hashes": list(factor.recovery_hashes),
    }


def user_of(row: Row[Any]) -> User:
    """The user that a row is of."""
    factor = SecondFactor(
        sealed_secret=row.sealed_secret,
        sealed_pending=row.sealed_pending,
        last_step=row.last_step,
        recovery_hashes=tuple(row.recovery_hashes),
    )
    return User(
        id=row.id,
        email=row.email,
        name=row.name,
        language=row.language,
        roles=tuple(row.roles),
        poi_ids=None if row.poi_ids is None else tuple(map(UUID, row.poi_ids)),
        status=UserStatus(row.status),
        privileges=row.privileges,
        password_hash=row.password_hash,
        factor=factor,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_sign_in_at=row.last_sign_in_at,
        version=row.version,
    )


def set_columns(connection: Connection, user_id: UUID, **values: Any) -> None:
    """Change columns of a user."""
    connection.execute(update(users).where(users.c.id == user_id).values(**values))


def forget_kept(connection: Connection, user: User) -> None:
    """Forget the answers that were given to the user or show the user, and mails to the user's address that
    were given up."""
    mine = schema.idempotency.c.scope.startswith(f"{ACCESS_KIND}:{user.id} ", autoescape=True)
    shown = schema.idempotency.c.about == user.id
    for which in (mine, shown):
        connection.execute(delete(schema.idempotency).where(which))
    written = func.lower(type_coerce(schema.outbox.c.payload, Text))
    dead = and_(schema.outbox.c.kind == "mail", schema.outbox.c.due_at.is_(None))
    to_user = written.contains(email_key(user.email), autoescape=True)
    connection.execute(delete(schema.outbox).where(dead, to_user))


def _texts(ids: Iterable[UUID]) -> list[str]:
    return [str(each) for each in ids]
