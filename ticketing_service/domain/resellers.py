"""Resellers: who sells our tickets to customers of their own, and the keys that they call with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ticketing_service.domain.errors import Code, Refused

KEY_PREFIX = "otk_"


class Scope(StrEnum):
    """What a key may do with the reseller's bookings."""

    READ = "bookings:read"
    WRITE = "bookings:write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reseller:
    """`ticket_ids`: the tickets that it may sell; None: all. `max_holds`: how many bookings it may have on
    hold at a time. One that is not `active` makes no booking more; it still sees and cancels those it has.
    """

    id: UUID
    name: str
    ticket_ids: tuple[UUID, ...] | None
    max_holds: int
    active: bool
    version: int
    created_at: datetime

    def may_sell(self, ticket_id: UUID) -> bool:
        """Whether the ticket is one of those that it may sell."""
        return self.ticket_ids is None or ticket_id in self.ticket_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class ResellerKey:
    """One of the keys of a reseller, who has several while they are exchanged. `start` is how its owner
    recognises it; of the key itself only `hash` is kept.
    """

    id: UUID
    reseller_id: UUID
    name: str
    start: str
    hash: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it opens anything at `now`."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that was not revoked, and whose it is."""

    key: ResellerKey
    reseller: Reseller


def checked_key(key: ResellerKey) -> ResellerKey:
    """`key`, when it may be made. Raises INVALID_API_KEY."""
    if key.expires_at <= key.created_at:
        raise Refused(Code.INVALID_API_KEY, "It would have ended before it begins.", "/expiresAt")
    return key
