"""When a breaker opens because others have: on the evidence of more than half, and on fresh evidence only."""

from __future__ import annotations

from collections.abc import Mapping

from common.resilience.rows import Row
from common.resilience.states import Status

SETTLING_SECONDS = 1.0


class Quorum:
    """What one breaker of this process makes of the other processes' rows.

    A process that has opened counts once for each time it did, and only on its own evidence. What is open
    when this one closes, or up to a second later (as long as a row may be old), was open before: it says
    nothing about a dependency that has just answered our trials. Without that, the processes that recover
    first would be opened again and again by those that still wait.
    """

    def __init__(self, minimum_calls: int) -> None:
        self._minimum_calls = minimum_calls
        self._generation = 0
        self._settled_at: float | None = None
        self._known: set[tuple[str, int]] = set()

    def cause_to_open(self, now: float, own: Status, others: Mapping[str, Row]) -> str | None:
        """Why this process's breaker should open; None when it should not. `others`: rows by process."""
        if own.generation != self._generation:
            self._generation = own.generation
            self._known = set()
            self._settled_at = now + SETTLING_SECONDS
        if own.condition != "CLOSED":
            return None
        opened = {
            (process, row["openings"])
            for process, row in others.items()
            if row["ownEvidence"] and row["state"] != "CLOSED" and row["mode"] == "automatic"
        }
        if self._settled_at is not None and now < self._settled_at:
            self._known |= opened
            return None
        experienced = {process for process, row in others.items() if row["calls"] >= self._minimum_calls}
        voters = len(experienced | {process for process, _ in opened})
        voters += own.counts.calls >= self._minimum_calls
        fresh = len(opened - self._known)
        return f"{fresh} of {voters} processes have opened" if fresh * 2 > voters else None
