"""Resellers: who sells our tickets to customers of their own, and the keys that they call with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from common.identifiers import derived_id
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.money import BASIS_POINTS, half_up, share_of

KEY_PREFIX = "otk_"


class Scope(StrEnum):
    """What a key may do with the reseller's bookings, and its webhooks."""

    READ = "bookings:read"
    WRITE = "bookings:write"
    WEBHOOKS = "webhooks:manage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """The account of a reseller in one currency, in minor units. `used` is what it has bought in all, with
    what it has on hold; `paid` is what it has paid of that, as staff write down. What stands open,
    `used - paid`, is never more than `limit`.
    """

    currency: str
    limit: int
    paid: int = 0
    used: int = 0

    @property
    def capacity(self) -> int:
        """Of its counter: what may be used in all."""
        return self.limit + self.paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Reseller:
    """`ticket_ids`: the tickets that it may sell; None: all. `max_holds`: how many bookings it may have on
    hold at a time. One that is not `active` makes no booking more; it still sees and cancels those it has.

    Its customers pay `markup_basis_points` more than others do, and what comes of that is its own. Of the
    price without it, after discount, it owes us `net_basis_points`: that is bought on account.
    """

    id: UUID
    name: str
    ticket_ids: tuple[UUID, ...] | None
    max_holds: int
    markup_basis_points: int = 0
    net_basis_points: int = BASIS_POINTS
    credit: tuple[Credit, ...] = ()
    active: bool
    version: int
    created_at: datetime

    def may_sell(self, ticket_id: UUID) -> bool:
        """Whether the ticket is one of those that it may sell."""
        return self.ticket_ids is None or ticket_id in self.ticket_ids

    def retail(self, price: int) -> int:
        """What its customers pay where others pay `price`, in minor units."""
        return share_of(price, BASIS_POINTS + self.markup_basis_points)

    def net(self, paid: int) -> int:
        """What it owes us of what its customer has `paid`, in minor units."""
        return half_up(paid * self.net_basis_points, BASIS_POINTS + self.markup_basis_points)


def credit_counter_id(reseller_id: UUID, currency: str) -> UUID:
    """The counter that a reseller's account is."""
    return derived_id(reseller_id, "credit", currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResellerKey:
    """One of the keys of a reseller, who has several while they are exchanged. `start` is how its owner
    recognises it; of the key itself only `hash` is kept. What is made with a key that `is_test` is a test.
    """

    id: UUID
    reseller_id: UUID
    name: str
    start: str
    hash: str
    scopes: tuple[Scope, ...]
    is_test: bool = False
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
