"""From the numbers of all processes to what Prometheus scrapes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from prometheus_client import Metric
from prometheus_client.registry import Collector

from common.clock import Clock
from common.monitoring.metrics.definitions import Definition
from common.monitoring.metrics.totals import Labels, Totals, library_name


class SlotCollector(Collector):
    """What a registry of prometheus_client asks at each scrape."""

    def __init__(self, totals: Totals, prefix: str, definitions: Sequence[Definition], clock: Clock) -> None:
        self._totals, self._prefix, self._definitions, self._clock = totals, prefix, definitions, clock

    def collect(self) -> Iterable[Metric]:
        """Every metric that is defined, those without a number yet as well."""
        found: dict[str, list[tuple[str, Labels, float]]] = defaultdict(list)
        for key, number in self._totals.numbers(self._clock().timestamp()).items():
            series = self._totals.series(key)
            if series is not None:
                found[series.definition.name].append((series.name, series.labels, number))
        for definition in self._definitions:
            metric = Metric(library_name(self._prefix, definition), definition.help, definition.kind)
            samples = sorted(found[definition.name])
            if definition.kind == "histogram":
                _add_histograms(metric, samples)
            else:
                for name, labels, number in samples:
                    metric.add_sample(name, dict(labels), number)
            yield metric


def _add_histograms(metric: Metric, samples: Iterable[tuple[str, Labels, float]]) -> None:
    buckets: dict[Labels, list[tuple[float, str, float]]] = defaultdict(list)
    sums: dict[Labels, float] = {}
    for name, labels, number in samples:
        if name.endswith("_bucket"):
            bound = labels[-1][1]
            buckets[labels[:-1]].append((float(bound), bound, number))
        else:
            sums[labels] = number
    for labels, counted in buckets.items():
        total = 0.0
        for _, bound, number in sorted(counted):
            total += number
            metric.add_sample(f"{metric.name}_bucket", dict((*labels, ("le", bound))), total)
        metric.add_sample(f"{metric.name}_count", dict(labels), total)
        metric.add_sample(f"{metric.name}_sum", dict(labels), sums.get(labels, 0.0))
