"""What a measurement finds, and what it is held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal, TypeVar

from benchmarks.load import Latency

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Aim:
    """A bound on a figure's ratio to its floor, or on its value."""

    of: Literal["ratio", "value"]
    side: Literal["at least", "at most"]
    bound: float

    def met_by(self, figure: Figure) -> bool:
        found = figure.ratio if self.of == "ratio" else figure.value
        assert found is not None, f"{figure.name} has no {self.of}"
        return found >= self.bound if self.side == "at least" else found <= self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure; `floor` is what it is set against, in the same unit and from the same run."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    floor_is: str = ""
    latency: Latency | None = None
    aim: Aim | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        return None if self.floor is None else self.value / self.floor if self.floor else 0.0

    @property
    def met(self) -> bool | None:
        return None if self.aim is None else self.aim.met_by(self)


def interleaved(rounds: int, sides: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Run all sides in turn, `rounds` times, so that whatever else the machine does falls on each alike."""
    results: dict[str, list[T]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            results[name].append(side())
    return results


def middle(latencies: Sequence[Latency]) -> Latency:
    """The median of each percentile."""
    return Latency(
        median(each.p50 for each in latencies),
        median(each.p95 for each in latencies),
        median(each.p99 for each in latencies),
    )
