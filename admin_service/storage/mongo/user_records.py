"""Users as documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from admin_service.domain.errors import Code, Refused
from admin_service.domain.users import SecondFactor, User, UserStatus, email_key
from admin_service.storage.mongo import schema
from admin_service.storage.mongo.people_collections import users
from common.auth.policy import ACCESS_KIND
from common.mongo.transaction import Transaction
from common.mongo.values import instant, ms


def user_in(tx: Transaction, user_id: UUID) -> User | None:
    """The user as this transaction sees it."""
    found = tx.one(users, {"_id": user_id})
    return None if found is None else user_of(found)


def known_user(tx: Transaction, user_id: UUID) -> User:
    """The user. Raises USER_NOT_FOUND."""
    found = user_in(tx, user_id)
    if found is None:
        raise Refused(Code.USER_NOT_FOUND)
    return found


def user_fields(user: User) -> dict[str, Any]:
    """What people write of a user, as fields."""
    return {
        "email": user.email,
        "email_key": email_key(user.email),
        "name": user.name,
        "name_key": user.name.lower(),
        "language": user.language,
        "roles": list(user.roles),
        "poi_ids": None if user.poi_ids is None else list(user.poi_ids),
        "status": user.status.value,
        "administrator": user.is_administrator,
        "privileges": user.privileges,
        "updated_at": ms(user.updated_at),
        "version": user.version,
    }


def new_user(user: User) -> dict[str, Any]:
    """The document of a new user."""
    return {
        "_id": user.id,
        **user_fields(user),
        **factor_fields(user.factor),
        "privileges_changed_at": ms(user.created_at),
        "password_hash": user.password_hash,
        "created_at": ms(user.created_at),
        "last_sign_in_at": None,
    }


def factor_fields(factor: SecondFactor) -> dict[str, Any]:
    """The second factor as fields."""
    return {
        "sealed_secret": factor.sealed_secret,
        "sealed_pending": factor.sealed_pending,
        "last_step": factor.last_step,
        "recovery_hashes": list(factor.recovery_hashes),
    }


def user_of(found: Mapping[str, Any]) -> User:
    """The user that a document is of."""
    factor = SecondFactor(
        sealed_secret=found["sealed_secret"],
        sealed_pending=found["sealed_pending"],
        last_step=found["last_step"],
        recovery_hashes=tuple(found["recovery_hashes"]),
    )
    return User(
        id=found["_id"],
        email=found["email"],
        name=found["name"],
        language=found["language"],
        roles=tuple(found["roles"]),
        poi_ids=None if found["poi_ids"] is None else tuple(found["poi_ids"]),
        status=UserStatus(found["status"]),
        privileges=found["privileges"],
        password_hash=found["password_hash"],
        factor=factor,
        created_at=instant(found["created_at"]),
        updated_at=instant(found["updated_at"]),
        last_sign_in_at=instant(found["last_sign_in_at"]),
        version=found["version"],
    )


def set_fields(tx: Transaction, user_id: UUID, **values: Any) -> None:
    """Change fields of a user."""
    tx.update(users, {"_id": user_id}, {"$set": values})


def forget_kept(tx: Transaction, user: User) -> None:
    """Forget the answers that were given to the user or show the user, and mails to the user's address that
    were given up."""
    # embedded documents are in the order of their first field
    scope = f"{ACCESS_KIND}:{user.id}"
    mine = {"_id": {"$gte": {"scope": f"{scope} "}, "$lt": {"scope": f"{scope}!"}}}
    for which in (mine, {"about": {"$type": "binData", "$eq": user.id}}):
        tx.delete(schema.idempotency, which)
    written, key = tx.find(schema.outbox, {"kind": "mail", "due_at": None}), email_key(user.email)
    to_user = [each["_id"] for each in written if key in each["payload"].lower()]
    tx.delete(schema.outbox, {"_id": {"$in": to_user}})
