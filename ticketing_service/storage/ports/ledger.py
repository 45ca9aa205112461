"""The books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueQuery:
    """The days of the books are UTC days; `group_by` is one of day, ticket, type, unit, channel, reseller."""

    day_from: date
    day_to: date
    group_by: str = "day"
    ticket_id: UUID | None = None
    reseller_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueRow:
    """Minor units of `currency`. `sales` and `fees` are what was captured, `refunds` what was given back of
    it.
    """

    key: str
    currency: str
    bookings: int
    units: int
    sales: int
    fees: int
    refunds: int
    commission: int


class LedgerStore(Protocol):
    def revenue(self, query: RevenueQuery) -> tuple[RevenueRow, ...]: ...
