"""What was earned, from the ledger; refunds apart."""

from __future__ import annotations

from ticketing_service.actions.ports import Ports
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.storage.ports.ledger import RevenueQuery, RevenueRow

MAX_DAYS = 366


def find_revenue(query: RevenueQuery, ports: Ports) -> tuple[RevenueRow, ...]:
    """Raises INVALID_PERIOD."""
    if query.day_to < query.day_from:
        raise Refused(Code.INVALID_PERIOD, "It ends before it begins.", "?to")
    if (query.day_to - query.day_from).days >= MAX_DAYS:
        raise Refused(Code.INVALID_PERIOD, f"At most {MAX_DAYS} days are added up at once.", "?to")
    return ports.store.ledger.revenue(query)
