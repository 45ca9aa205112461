"""Vouchers: a percentage or an amount off, valid for a time, scarce in total and per customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """`percent_basis_points` or `amount` (minor units of `currency`) is set, never both.

    `max_uses` in total and `max_uses_per_customer` (by e-mail address) count bookings; None is no limit.
    `ticket_ids` limits it to items of those tickets; empty is all. `used` counts standing and confirmed uses.
    """

    id: UUID
    code: str
    percent_basis_points: int | None
    amount: int | None
    currency: str | None
    valid_from: datetime
    valid_until: datetime
    max_uses: int | None
    max_uses_per_customer: int | None
    ticket_ids: tuple[UUID, ...]
    active: bool
    used: int
    version: int
    created_at: datetime
