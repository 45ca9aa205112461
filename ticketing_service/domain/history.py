"""What became of a booking, change by change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One change of a booking: when, who, from, to, why."""

    at: datetime
    actor: str
    from_status: str | None
    to_status: str
    reason: str
