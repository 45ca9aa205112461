"""People who sign in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from admin_service.domain.audit import AuditEvent
from admin_service.domain.users import SecondFactor, User, UserStatus
from common.pages import Page
from common.web.idempotency import Idempotency


@dataclass(frozen=True, slots=True, kw_only=True)
class UserQuery:
    """Filters of the list; None is no filter. `text`: a part of address or name. By address."""

    text: str | None = None
    role: str | None = None
    status: UserStatus | None = None
    limit: int = 20
    cursor: str | None = None


class UserStore(Protocol):
    def create(
        self, user: User, event: AuditEvent, *, invite: bool, idempotency: Idempotency | None = None
    ) -> User:
        """With `invite`, the outbox gets a mail that lets the user choose a password. Refuses EMAIL_TAKEN."""
        ...

    def get(self, user_id: UUID) -> User | None: ...

    def by_email(self, email: str) -> User | None:
        """However the address is written."""
        ...

    def page(self, query: UserQuery) -> Page[User]: ...

    def replace(self, user: User, expected_version: int, event: AuditEvent) -> User:
        """Store what people write of a user: address, name, language, roles, places, status (its version is
        set to the next). What changes privileges counts `privileges` up; who is disabled loses every session.
        Refuses USER_NOT_FOUND, VERSION_CONFLICT, EMAIL_TAKEN, LAST_ADMINISTRATOR.
        """
        ...

    def erase(self, user: User, former_email_hash: str, event: AuditEvent) -> None:
        """`user` is somebody of whom only the id is left: stored whole. Every session ends and loses where it
        came from; links, failed sign-ins and kept answers are forgotten; the audit trail loses what names the
        user, and `event`, whose `after` is given of how many `entries`, is added. Refuses USER_NOT_FOUND,
        LAST_ADMINISTRATOR.
        """
        ...

    def set_password(self, user_id: UUID, password_hash: str, keep: UUID | None, event: AuditEvent) -> None:
        """Every session of the user ends but `keep`. Refuses USER_NOT_FOUND."""
        ...

    def rehash(self, user_id: UUID, old_hash: str, new_hash: str) -> None:
        """The same password under today's parameters, unless it was changed meanwhile."""
        ...

    def set_factor(self, user_id: UUID, factor: SecondFactor, event: AuditEvent | None) -> None:
        """Replace the second factor. Refuses USER_NOT_FOUND."""
        ...

    def use_code(self, user_id: UUID, step: int) -> bool:
        """Use up the code of `step`. False when that or a later one was used already."""
        ...

    def use_recovery(self, user_id: UUID, code_hash: str, event: AuditEvent) -> bool:
        """Use up a recovery code. False when there is no such code left."""
        ...

    def spend_link(self, link_hash: str, password_hash: str, now: datetime, event: AuditEvent) -> bool:
        """Set the password of the link's user: every session and every other link of the user ends, and a
        lock of the address with them. `event.subject` is set to the user's id. False when the link is
        unknown, used or over, or its user is disabled.
        """
        ...

    def by_link(self, link_hash: str, now: datetime) -> User | None:
        """Whose link it is, if it can be spent now."""
        ...

    def put_link(self, link_hash: str, user_id: UUID, purpose: str, expires_at: datetime) -> None:
        """Remember a link; one that is remembered already stays as it is."""
        ...
