"""People who sign in, for those who govern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from admin_service.actions.ports import Ports
from admin_service.domain.audit import Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.users import User, UserStatus, email_hash, in_order, limited
from admin_service.storage.ports.users import UserQuery
from common.identifiers import uuid7
from common.pages import Page
from common.web.idempotency import Idempotency


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUser:
    """Without `password_hash` the user is invited by mail to choose a password."""

    email: str
    name: str
    roles: tuple[str, ...]
    poi_ids: tuple[UUID, ...] | None = None
    language: str = "en"
    password_hash: str | None = None
    origin: Origin
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeUser:
    """`changes` are fields of `User` that people write."""

    user_id: UUID
    expected_version: int
    changes: Mapping[str, Any]
    origin: Origin


def find_users(query: UserQuery, ports: Ports) -> Page[User]:
    """By address."""
    return ports.store.users.page(query)


def find_user(user_id: UUID, ports: Ports) -> User:
    """Raises USER_NOT_FOUND."""
    found = ports.store.users.get(user_id)
    if found is None:
        raise Refused(Code.USER_NOT_FOUND)
    return found


def create_user(command: CreateUser, ports: Ports) -> User:
    """Raises EMAIL_TAKEN."""
    now = ports.clock()
    user = limited(
        User(
            id=uuid7(),
            email=command.email,
            name=command.name,
            language=command.language,
            roles=in_order(command.roles),
            poi_ids=command.poi_ids,
            password_hash=command.password_hash,
            created_at=now,
            updated_at=now,
        )
    )
    event = ports.event(
        command.origin, "users.create", user.id, after=user.audited(), personal_after=user.personal()
    )
    invite = command.password_hash is None
    return ports.store.users.create(user, event, invite=invite, idempotency=command.idempotency)


def change_user(command: ChangeUser, ports: Ports) -> User:
    """Raises USER_NOT_FOUND, VERSION_CONFLICT, EMAIL_TAKEN, LAST_ADMINISTRATOR."""
    before = find_user(command.user_id, ports)
    changes = dict(command.changes)
    if "roles" in changes:
        changes["roles"] = in_order(changes["roles"])
    after = limited(replace(before, **changes))
    was, becomes = _differing(before.audited(), after.audited())
    personal_was, personal_becomes = _differing(before.personal(), after.personal())
    event = ports.event(
        command.origin,
        "users.update",
        before.id,
        before=was,
        after=becomes,
        personal_before=personal_was,
        personal_after=personal_becomes,
    )
    return ports.store.users.replace(after, command.expected_version, event)


def disable_user(user_id: UUID, expected_version: int, origin: Origin, ports: Ports) -> None:
    """The user cannot sign in any more; what was done by them still names them. Raises as `change_user`."""
    changes = {"status": UserStatus.DISABLED}
    change_user(
        ChangeUser(user_id=user_id, expected_version=expected_version, changes=changes, origin=origin), ports
    )


def unlock_user(user_id: UUID, origin: Origin, ports: Ports) -> None:
    """The user may sign in again before the time is over. Raises USER_NOT_FOUND."""
    user = find_user(user_id, ports)
    event = ports.event(origin, "users.unlock", user.id)
    ports.store.sessions.unlock(email_hash(user.email), event)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is not the same in both, as it is in each."""
    names = [name for name in one if one[name] != other[name]]
    return {name: one[name] for name in names}, {name: other[name] for name in names}
