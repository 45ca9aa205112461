"""Sums, rates and percentiles of the numbers, for people and for the JSON form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from common.monitoring.metrics.totals import Labels, Numbers, Totals

PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


class View:
    """The numbers of a service less those of a baseline. Metrics are named without the service's prefix."""

    def __init__(self, numbers: Numbers, baseline: Mapping[str, float], totals: Totals) -> None:
        self._found: dict[str, list[tuple[str, Labels, float]]] = defaultdict(list)
        for key, number in numbers.items():
            series = totals.series(key)
            if series is None:
                continue
            if series.definition.kind != "gauge":
                number = max(0.0, number - baseline.get(key, 0.0))
            suffix = series.name.rpartition("_")[2] if series.definition.kind == "histogram" else ""
            self._found[series.definition.name].append((suffix, series.labels, number))

    def total(self, name: str, **wanted: str) -> float:
        """The sum over all labels, of those that have the `wanted` values."""
        return sum(number for _, labels, number in self._of(name, wanted))

    def gauge(self, name: str) -> float | None:
        """A gauge without labels; None before it was set."""
        return next((number for _, _, number in self._found[name]), None)

    def by(self, name: str, *labels: str) -> dict[Any, float]:
        """Sums by one label's value, or by the values of several as a tuple; without those that are 0."""
        sums: dict[Any, float] = defaultdict(float)
        for _, found, number in self._found[name]:
            values = dict(found)
            sums[values[labels[0]] if len(labels) == 1 else tuple(values[each] for each in labels)] += number
        return {key: number for key, number in sorted(sums.items()) if number}

    def gauges(self, name: str, label: str) -> dict[str, float]:
        """A gauge by one label's value."""
        return {dict(labels)[label]: number for _, labels, number in sorted(self._found[name])}

    def durations(self, name: str, **wanted: str) -> dict[str, float | None]:
        """How many there were, and the percentiles in seconds; None where nothing was measured."""
        counted: dict[float, float] = defaultdict(float)
        for suffix, labels, number in self._of(name, wanted):
            if suffix == "bucket":
                counted[float(labels[-1][1])] += number
        buckets = sorted(counted.items())
        shown: dict[str, float | None] = {"count": _plain(sum(counted.values()))}
        shown.update({each: percentile(buckets, share) for each, share in PERCENTILES.items()})
        return shown

    def durations_by(self, name: str, label: str) -> dict[str, dict[str, float | None]]:
        """`durations` by one label's value."""
        values = sorted({dict(labels)[label] for _, labels, _ in self._found[name]})
        return {value: self.durations(name, **{label: value}) for value in values}

    def _of(self, name: str, wanted: Mapping[str, str]) -> Iterable[tuple[str, Labels, float]]:
        pairs = set(wanted.items())
        return (each for each in self._found[name] if pairs.issubset(each[1]))


def percentile(buckets: Sequence[tuple[float, float]], share: float) -> float | None:
    """The value below which `share` (0 to 1) of the observations lie, within its bucket in proportion, as
    Prometheus' histogram_quantile has it. `buckets`: upper bound (ascending, the last is infinite) and how
    many fell in it. None without any; the last finite bound for what lies beyond it.
    """
    everything = sum(number for _, number in buckets)
    if not everything:
        return None
    rank, below, lower = share * everything, 0.0, 0.0
    for bound, number in buckets:
        if number and below + number >= rank:
            return lower if bound == float("inf") else lower + (bound - lower) * (rank - below) / number
        below, lower = below + number, lower if bound == float("inf") else bound
    return lower


def whole(numbers: Mapping[str, float]) -> dict[str, float]:
    """Counts as people write them: 3, not 3.0."""
    return {key: _plain(number) for key, number in numbers.items()}


def ratio(part: float, of: float) -> float | None:
    """`part` of `of`; None of nothing."""
    return round(part / of, 4) if of else None


def _plain(number: float) -> float:
    return int(number) if number == int(number) else number
