"""The numbers of all processes of a service, living and dead, as one."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.monitoring.metrics.definitions import Definition
from common.monitoring.metrics.slot_file import Damaged, read_numbers
from common.monitoring.metrics.slot_files import SlotFiles, living_slots

log = logging.getLogger(__name__)

Labels = tuple[tuple[str, str], ...]
Numbers = dict[str, float]
"""A number by its key in the files; the buckets of a histogram are not added up."""


@dataclass(frozen=True, slots=True)
class Series:
    """What a key stands for. `name`: with `_bucket`, `_sum`, `_total`; `labels` in the order of the
    definition, `le` last."""

    definition: Definition
    name: str
    labels: Labels


class Totals:
    """Reads the files of a folder. What is not of `definitions` (an older version's) is left out."""

    def __init__(self, files: SlotFiles, prefix: str, definitions: Sequence[Definition]) -> None:
        self._files = files
        self._by_name = {library_name(prefix, each): each for each in definitions}
        self._series: dict[str, Series | None] = {}
        self._damaged: set[tuple[Path, int]] = set()

    def series(self, key: str) -> Series | None:
        """What `key` stands for; None when it is not ours."""
        if key not in self._series:
            self._series[key] = self._parsed(key)
        return self._series[key]

    def numbers(self, now: float) -> Numbers:
        """All numbers, moments as the seconds from them to `now` (Unix seconds). Never raises for what the
        files are like."""
        sums: Numbers = {}
        stamps: dict[str, float] = {}
        for kind, readings in self._sources():
            add = _ADD.get(kind.removeprefix("gauge_"), _add)
            for key, number, stamp in readings:
                if self.series(key) is None or math.isnan(number):
                    continue
                if not kind.startswith("gauge") and not 0 <= number < math.inf:
                    continue
                add(sums, stamps, key, number, stamp)
        return self._with_ages(sums, now)

    def _sources(self) -> Iterable[tuple[str, list[tuple[str, float, float]]]]:
        if self._files.slot is None:
            for kind, reading in self._files.readings():
                yield kind, [reading]
        try:
            living = living_slots(self._files.folder)
            paths = sorted(self._files.folder.glob("*.db"))
        except OSError as error:
            log.warning("metrics cannot be read: %s", error)
            return
        for path in paths:
            kind, _, slot = path.stem.rpartition("_")
            if slot.isdecimal() and (int(slot) in living or not kind.startswith("gauge_live")):
                yield kind, self._read(path)

    def _read(self, path: Path) -> list[tuple[str, float, float]]:
        try:
            return list(read_numbers(path))
        except FileNotFoundError:  # a process that takes the slot over begins its gauges anew
            return []
        except (Damaged, OSError) as error:
            # It is removed by the next process of that slot; till then it is told of once.
            if (path, hash(str(error))) not in self._damaged:
                self._damaged.add((path, hash(str(error))))
                log.warning("metrics are left out: %s", error)
            return []

    def _with_ages(self, sums: Numbers, now: float) -> Numbers:
        shown: Numbers = {}
        for key, number in sums.items():
            series = self.series(key)
            if series is None or not series.definition.kept_as_moment:
                shown[key] = number
            elif number:
                shown[key] = max(0.0, now - number)
        return shown

    def _parsed(self, key: str) -> Series | None:
        try:
            metric, name, labels, _ = json.loads(key)
            definition = self._by_name[metric]
            wanted = [*definition.labels, *(["le"] if name.endswith("_bucket") else [])]
            if set(labels) != set(wanted):
                return None
            return Series(definition, name, tuple((each, str(labels[each])) for each in wanted))
        except (ValueError, TypeError, KeyError):
            return None


def library_name(prefix: str, definition: Definition) -> str:
    """The full name; prometheus_client calls a counter by its name without `_total`."""
    name = prefix + definition.name
    return name.removesuffix("_total") if definition.kind == "counter" else name


def _add(sums: Numbers, _: dict[str, float], key: str, number: float, stamp: float) -> None:
    sums[key] = sums.get(key, 0.0) + number


def _greatest(sums: Numbers, _: dict[str, float], key: str, number: float, stamp: float) -> None:
    sums[key] = max(sums.get(key, number), number)


def _newest(sums: Numbers, stamps: dict[str, float], key: str, number: float, stamp: float) -> None:
    if stamp > stamps.get(key, 0.0):
        sums[key], stamps[key] = number, stamp


_ADD: Mapping[str, Callable[[Numbers, dict[str, float], str, float, float], None]] = {
    "livemax": _greatest,
    "max": _greatest,
    "mostrecent": _newest,
}
