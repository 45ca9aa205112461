"""prometheus_client's metrics, with their numbers in the files of a slot."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any, TypeVar

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.mmap_dict import mmap_key
from prometheus_client.utils import floatToGoString

from common.monitoring.metrics.definitions import Definition
from common.monitoring.metrics.slot_files import SlotFiles, Value

C = TypeVar("C")


class _InSlot(MetricWrapperBase):
    """The library asks a global for the place of a number; here each metric knows its own."""

    def __init__(self, *arguments: Any, files: SlotFiles, **options: Any) -> None:
        self._files = files
        super().__init__(*arguments, **options)
        self._kwargs["files"] = files  # for the children that `labels` makes

    def _in_slot(self, kind: str, sample: str, **label: str) -> Value:
        names, values = (*self._labelnames, *label.keys()), (*self._labelvalues, *label.values())
        # Without the help text: a change of wording must not make another number of it.
        return self._files.value(kind, mmap_key(self._name, sample, list(names), list(values), ""))


class Children(dict[tuple[str | int, ...], C]):
    """What `labels` makes, by its arguments; never removed. For the paths on which the library's own way,
    which makes texts of all values and takes a lock, would cost the most.
    """

    def __init__(self, labels: Callable[..., C]) -> None:
        super().__init__()
        self._labels = labels

    def __missing__(self, values: tuple[str | int, ...]) -> C:
        made = self[values] = self._labels(*values)
        return made


class SlotCounter(_InSlot, Counter):
    """A Counter. `number`: what it counts with, where no labels want values first."""

    number: Value

    def _metric_init(self) -> None:
        self._value = self.number = self._in_slot("counter", f"{self._name}_total")
        self._created = 0.0


class SlotGauge(_InSlot, Gauge):
    """A Gauge. `number`: as a counter's."""

    number: Value

    def _metric_init(self) -> None:
        self._value = self.number = self._in_slot(f"gauge_{self._multiprocess_mode}", self._name)


class SlotHistogram(_InSlot, Histogram):
    """A Histogram."""

    def numbers(self, seconds: float) -> tuple[Value, Value]:
        """What `observe` changes: the sum, and the bucket of `seconds`."""
        return self._sum, self._buckets[bisect_left(self._upper_bounds, seconds)]

    def count(self, seconds: float) -> None:
        """As `observe`, in one step."""
        total, bucket = self.numbers(seconds)
        with self._files.counting:
            total.cell[0] += seconds
            bucket.cell[0] += 1

    def _metric_init(self) -> None:
        self._created = 0.0
        self._sum = self._in_slot("histogram", f"{self._name}_sum")
        self._buckets = [
            self._in_slot("histogram", f"{self._name}_bucket", le=floatToGoString(bound))  # type: ignore[no-untyped-call]
            for bound in self._upper_bounds
        ]


Instrument = SlotCounter | SlotGauge | SlotHistogram


def make_instrument(definition: Definition, prefix: str, files: SlotFiles) -> Instrument:
    """The metric that `definition` describes, of the service whose names begin with `prefix`."""
    common: dict[str, Any] = {
        "name": prefix + definition.name,
        "documentation": definition.help,
        "labelnames": definition.labels,
        "registry": None,  # what is scraped comes from the files
        "files": files,
    }
    if definition.kind == "counter":
        return SlotCounter(**common)
    if definition.kind == "gauge":
        return SlotGauge(multiprocess_mode=definition.mode, **common)
    return SlotHistogram(buckets=definition.buckets, **common)
