"""Sessions, and the attempts to begin one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol
from uuid import UUID

from admin_service.domain.audit import AuditEvent, Origin
from admin_service.domain.sessions import Session
from admin_service.domain.users import User


class Turn(Enum):
    """What came of a refresh token."""

    REFRESHED = "refreshed"
    JUST_USED = "just-used"
    UNKNOWN = "unknown"
    ENDED = "ended"
    REUSED = "reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """`session` and `user` are there when it was refreshed, or just has been."""

    turn: Turn
    session: Session | None = None
    user: User | None = None


class SessionStore(Protocol):
    def attempt(self, email_hash: str, now: datetime) -> None:
        """Count an attempt to sign in as a failed one, before anything is looked at: so attempts side by side
        are no more than those in a row. Refuses ACCOUNT_LOCKED, with when it ends.
        """
        ...

    def take_back(self, email_hash: str) -> None:
        """The last attempt did not fail, but more is needed to sign in."""
        ...

    def unlock(self, email_hash: str, event: AuditEvent) -> None:
        """Forget the failed attempts."""
        ...

    def locked_until(self, email_hash: str, now: datetime) -> datetime | None: ...

    def open(self, session: Session, refresh_hash: str, email_hash: str, event: AuditEvent) -> None:
        """Begin a session; the failed attempts of the address are forgotten."""
        ...

    def refresh(
        self,
        refresh_hash: str,
        next_hash: str,
        now: datetime,
        origin: Origin,
        grace: timedelta = timedelta(0),
    ) -> Refreshed:
        """Take one refresh token for the next. One that was used before ends its whole session: somebody has
        a copy. But within `grace` of its use, and while the next one is unused, it was JUST_USED: nothing
        changes then.
        """
        ...

    def get(self, session_id: UUID) -> Session | None: ...

    def of_user(self, user_id: UUID, now: datetime) -> tuple[Session, ...]:
        """Those that can still be refreshed, the last used first."""
        ...

    def end(self, user_id: UUID, session_id: UUID, now: datetime, event: AuditEvent) -> bool:
        """End one of the user's sessions. False when there is no such session that could still be used."""
        ...

    def end_all(self, user_id: UUID, keep: UUID | None, now: datetime, event: AuditEvent) -> int:
        """End those of the user, but `keep`; says how many."""
        ...

    def active(self, now: datetime) -> int:
        """How many can still be refreshed."""
        ...

    def purge(self, now: datetime, limit: int) -> int:
        """Forget up to `limit` each of sessions, links and failed attempts that are over; says how many."""
        ...
