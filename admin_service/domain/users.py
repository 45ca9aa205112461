"""People who sign in: who they are, what they may do, and their second factor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from admin_service.domain.permissions import PLATFORM_ADMIN, POI_OWNER


class UserStatus(StrEnum):
    """A disabled user is known, and cannot sign in."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """Codes by time (RFC 6238). `sealed_secret` is in force, `sealed_pending` waits for its first code.
    `last_step` is the number of the 30 seconds whose code was used last; `recovery_hashes` are of the codes
    that are left.
    """

    sealed_secret: str | None = None
    sealed_pending: str | None = None
    last_step: int = 0
    recovery_hashes: tuple[str, ...] = ()

    @property
    def in_force(self) -> bool:
        """Whether signing in asks for a code."""
        return self.sealed_secret is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """`poi_ids`: the places that the user is limited to; None: any. `privileges` is counted up with each
    change of what the user may do: access tokens that carry a smaller number are good no more. Without
    `password_hash` the user has not chosen a password yet.
    """

    id: UUID
    email: str
    name: str
    language: str = "en"
    roles: tuple[str, ...] = ()
    poi_ids: tuple[UUID, ...] | None = None
    status: UserStatus = UserStatus.ACTIVE
    privileges: int = 1
    password_hash: str | None = None
    factor: SecondFactor = SecondFactor()
    created_at: datetime
    updated_at: datetime
    last_sign_in_at: datetime | None = None
    version: int = 1

    @property
    def is_active(self) -> bool:
        return self.status is UserStatus.ACTIVE

    @property
    def is_administrator(self) -> bool:
        """Whether the platform can be administered by this user now."""
        return self.is_active and PLATFORM_ADMIN in self.roles

    def audited(self) -> dict[str, Any]:
        """What of the user stands in the audit trail for good: no secret, and nothing that names somebody."""
        return {
            "language": self.language,
            "roles": list(self.roles),
            "poiIds": None if self.poi_ids is None else [str(poi_id) for poi_id in self.poi_ids],
            "status": self.status.value,
        }

    def personal(self) -> dict[str, Any]:
        """What of the user stands in the audit trail until it is erased."""
        return {"email": self.email, "name": self.name}


def email_key(email: str) -> str:
    """The form in which addresses are compared."""
    return email.strip().casefold()


def email_hash(email: str) -> str:
    """What failed sign-ins are counted by, known or not: hexadecimal SHA-256."""
    return sha256(email_key(email).encode()).hexdigest()


def limited(user: User) -> User:
    """`user`; who owns places is never without a limit, so that no other role of theirs goes beyond."""
    return replace(user, poi_ids=()) if POI_OWNER in user.roles and user.poi_ids is None else user


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order of the alphabet."""
    return tuple(sorted(set(names)))


def may_do_otherwise(before: User, after: User) -> bool:
    """Whether the change gives or takes something that access tokens tell of."""
    return (before.roles, before.poi_ids, before.status) != (after.roles, after.poi_ids, after.status)
