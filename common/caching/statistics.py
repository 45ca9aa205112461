"""Statistics of regions: counted in each process, summed over all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args

import orjson

Result = Literal["hit", "miss", "stale", "load", "error"]
Record = Callable[[str, Result], None]
"""Told (region, result) of each: metrics."""

_RESULTS: tuple[Result, ...] = get_args(Result)
_PLURALS = ("hits", "misses", "stale", "loads", "errors")


class Statistics:
    """This process's counts; safe for threads.

    A read that gives something is one of hit, miss (what the loader gave) and stale (an old value). Besides,
    the loader's runs are counted, and as errors its failures and each time that the backend could not be
    asked or told.
    """

    def __init__(self, regions: Iterable[str], record: Record | None) -> None:
        self._lock = threading.Lock()
        self._counts = {region: dict.fromkeys(_RESULTS, 0) for region in regions}
        self._record = record
        self._changed = True

    def count(self, region: str, result: Result) -> None:
        """One more; tells the metrics."""
        with self._lock:
            self._counts[region][result] += 1
            self._changed = True
        if self._record is not None:
            self._record(region, result)

    def row(self, *, only_changed: bool = False) -> bytes | None:
        """The counts for the other processes; None: nothing has changed since the last time."""
        with self._lock:
            if only_changed and not self._changed:
                return None
            self._changed = False
            return orjson.dumps({region: list(counts.values()) for region, counts in self._counts.items()})


def summed(rows: Iterable[bytes], regions: Iterable[str]) -> dict[str, dict[str, Any]]:
    """hits, misses, stale, loads, errors and hitRate of each region, over all `rows`."""
    sums = {region: [0] * len(_RESULTS) for region in regions}
    for row in rows:
        for region, counts in orjson.loads(row).items():
            if region in sums:  # a process of another version may have others
                sums[region] = [a + b for a, b in zip(sums[region], counts, strict=True)]
    return {
        region: {**dict(zip(_PLURALS, counts, strict=True)), "hitRate": _rate(counts)}
        for region, counts in sums.items()
    }


def overall_rate(regions: Iterable[Mapping[str, Any]]) -> float:
    """The share of reads of all regions that were answered without waiting for the source."""
    all_counts = list(regions)
    return _rate([sum(counts[name] for counts in all_counts) for name in _PLURALS])


def _rate(counts: list[int]) -> float:
    hits, misses, stale = counts[:3]
    reads = hits + misses + stale
    return round((hits + stale) / reads, 4) if reads else 0.0
