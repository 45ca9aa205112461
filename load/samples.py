"""What happened in each second, and what can be said of many of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

GOOD_MS = 1000.0
"""An answer that is right but later than this is of no use to a visitor (the field's bound for P99)."""


@dataclass(slots=True)
class Tally:
    """Answers to one kind of request: how long they took (ms -> how many), and how many were wrong."""

    times: Counter[float] = field(default_factory=Counter)
    failed: int = 0
    good: int = 0

    def add(self, milliseconds: float, *, failed: bool) -> None:
        self.times[rounded(milliseconds)] += 1
        self.failed += failed
        self.good += not failed and milliseconds <= GOOD_MS

    def join(self, other: Tally) -> None:
        self.times.update(other.times)
        self.failed += other.failed
        self.good += other.good

    @property
    def count(self) -> int:
        return self.times.total()

    @property
    def average(self) -> float:
        """Milliseconds; 0 when nothing was counted."""
        return sum(time * number for time, number in self.times.items()) / max(1, self.count)

    def percentile(self, share: float) -> float:
        """The least time (ms) that `share` of all answers did not exceed (nearest rank); 0 for none."""
        rank = max(1, math.ceil(round(self.count * share, 6)))
        seen = 0
        for time in sorted(self.times):
            seen += self.times[time]
            if seen >= rank:
                return time
        return 0.0


@dataclass(slots=True, kw_only=True)
class Second:
    """One second of a run. `at` is Unix time; `flows` are journeys of several requests; `cpu` is the share of
    one core that the generator itself took."""

    at: float
    users: int = 0
    stage: str = ""
    cpu: float = 0.0
    sold_out: int = 0
    requests: dict[str, Tally] = field(default_factory=dict)
    flows: dict[str, Tally] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)

    def document(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "at": self.at,
            "users": self.users,
            "stage": self.stage,
            "cpu": self.cpu,
            "soldOut": self.sold_out,
            "requests": _tallies_out(self.requests),
            "flows": _tallies_out(self.flows),
            "errors": dict(self.errors),
        }

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        return cls(
            at=document["at"],
            users=document["users"],
            stage=document["stage"],
            cpu=document["cpu"],
            sold_out=document["soldOut"],
            requests=_tallies_in(document["requests"]),
            flows=_tallies_in(document["flows"]),
            errors=Counter(document["errors"]),
        )


def rounded(milliseconds: float) -> float:
    """To 0.1 ms below 100 and to 1 ms above, so that a second's times stay few."""
    return round(milliseconds, 1) if milliseconds < 100 else float(round(milliseconds))


def all_requests(seconds: Iterable[Second], leave_out: Collection[str] = ()) -> Tally:
    """Every kind of request together."""
    joined = Tally()
    for second in seconds:
        for name, tally in second.requests.items():
            if name not in leave_out:
                joined.join(tally)
    return joined


def by_name(seconds: Iterable[Second], *, flows: bool = False) -> dict[str, Tally]:
    """Each kind of request (or journey) over all seconds."""
    joined: dict[str, Tally] = {}
    for second in seconds:
        for name, tally in (second.flows if flows else second.requests).items():
            joined.setdefault(name, Tally()).join(tally)
    return joined


def errors(seconds: Iterable[Second]) -> Counter[str]:
    total: Counter[str] = Counter()
    for second in seconds:
        total.update(second.errors)
    return total


def grouped(seconds: Sequence[Second], most: int) -> list[list[Second]]:
    """The seconds in order, in at most `most` equal groups."""
    size = max(1, math.ceil(len(seconds) / most))
    return [list(seconds[start : start + size]) for start in range(0, len(seconds), size)]


def _tallies_out(tallies: dict[str, Tally]) -> dict[str, Any]:
    return {
        name: {
            "ms": {f"{time:g}": number for time, number in tally.times.items()},
            "failed": tally.failed,
            "good": tally.good,
        }
        for name, tally in tallies.items()
    }


def _tallies_in(found: dict[str, Any]) -> dict[str, Tally]:
    return {
        name: Tally(
            Counter({float(time): number for time, number in each["ms"].items()}),
            each["failed"],
            each["good"],
        )
        for name, each in found.items()
    }
