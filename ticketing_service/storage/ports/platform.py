"""What the rest of the platform asks of the store: the last copy of its configuration, a person's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class PlatformStore(Protocol):
    def kept(self) -> Mapping[str, Any] | None:
        """The document that was kept last."""
        ...

    def keep(self, document: Mapping[str, Any], now: datetime) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """`bookings` were made pseudonymous; `open_bookings` are still to come, or to be paid or given back, and
    keep their customer until that is over.
    """

    bookings: int
    open_bookings: int


class PeopleStore(Protocol):
    def erase(self, email: str, now: datetime) -> Erasure:
        """Take a customer's name, address and phone out of all bookings that are over, and what was written
        from them. Amounts, dates and references stay: the books must add up. Any number of times.
        """
        ...
