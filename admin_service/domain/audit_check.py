"""Whether the audit trail is what was written: walked from its first entry to its noted end."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from admin_service.domain.audit import FIRST_HASH, AuditEntry


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where the chain does not hold: `number` is that of the entry that is not as it was
    written, or is missing. `what`: in one word."""

    number: int
    what: str


@dataclass(slots=True)
class Walk:
    """Goes along the chain, some entries at a time; stops at the first break. `erased`: how many of those
    that hold have lost what named somebody."""

    number: int = 0
    erased: int = 0
    hash: bytes = FIRST_HASH
    broken: Break | None = None

    def go_on(self, entries: Iterable[AuditEntry]) -> None:
        """Look at the entries that follow."""
        for entry in entries:
            if self.broken is not None:
                return
            self._look_at(entry)

    def arrive(self, number: int, noted_hash: bytes) -> None:
        """There are no more entries; the end that was noted apart is `number` and `noted_hash`."""
        if self.broken is not None:
            return
        if self.number < number:
            self.broken = Break(self.number + 1, "missing")
        elif self.number > number or not hmac.compare_digest(self.hash, noted_hash):
            self.broken = Break(self.number, "end-differs")

    def _look_at(self, entry: AuditEntry) -> None:
        wanted = self.number + 1
        if entry.number != wanted:
            self.broken = Break(wanted, "missing" if entry.number > wanted else "out-of-place")
        elif not hmac.compare_digest(entry.previous_hash, self.hash):
            self.broken = Break(wanted, "does-not-follow")
        elif not entry.holds:
            self.broken = Break(wanted, "changed")
        else:
            self.number, self.hash = wanted, entry.hash
            self.erased += entry.erased
