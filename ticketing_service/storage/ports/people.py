"""What is kept of a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """`bookings` were made pseudonymous; `open_bookings` are still to come, or to be paid or given back, and
    keep their customer until that is over.
    """

    bookings: int
    open_bookings: int


class PeopleStore(Protocol):
    def erase(self, email: str, now: datetime) -> Erasure:
        """Take a customer's name, address and phone out of all bookings that are over, and out of what was
        written from them, the answers kept for a repetition among it. Amounts, dates and references stay: the
        books must add up. Any number of times.
        """
        ...
