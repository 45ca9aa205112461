"""What a checker reports."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that broke; the booking where there is one to blame."""

    invariant: str
    booking: UUID | None
    detail: str

    def __str__(self) -> str:
        where = "" if self.booking is None else f" [booking {self.booking}]"
        return f"{self.invariant}{where}: {self.detail}"
