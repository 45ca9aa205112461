"""The metrics of one service: plain methods that record, and the two forms in which they are read."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask

from common.clock import Clock, system_clock
from common.coordination.port import Coordination
from common.monitoring.metrics import document
from common.monitoring.metrics.baseline import Baselines
from common.monitoring.metrics.collector import SlotCollector
from common.monitoring.metrics.definitions import COMMON, Definition
from common.monitoring.metrics.exporter import SlotExporter
from common.monitoring.metrics.instruments import (
    Children,
    Instrument,
    SlotCounter,
    SlotGauge,
    SlotHistogram,
    make_instrument,
)
from common.monitoring.metrics.slot_files import SlotFiles
from common.monitoring.metrics.totals import Totals
from common.monitoring.metrics.view import View
from common.web.schemas import instant_text

T = TypeVar("T")
Group = Callable[[View], Any]
NEVER_WAITS = float("inf")
_LOOK_SECONDS = 1.0


class ServiceMetrics:
    """What is measured in each service. Recording never raises for the disk's sake, and costs microseconds.

    Make it before the fork (nothing is opened), `attach` it in each process, `install` it in the app. `own`:
    what the service measures besides; `groups`: the members that it adds to the JSON form.
    """

    def __init__(
        self,
        prefix: str,
        folder: Path,
        own: Sequence[Definition] = (),
        groups: Mapping[str, Group] | None = None,
        *,
        clock: Clock = system_clock,
    ) -> None:
        """`prefix`: such as `ticketing_`. `folder`: `DATA_DIR/metrics/<service>`."""
        self.prefix, self.definitions = prefix, (*COMMON, *own)
        self._clock, self._groups = clock, dict(groups or {})
        self._folder = folder
        self._files = SlotFiles(folder)
        self._instruments = {
            each.name: make_instrument(each, prefix, self._files) for each in self.definitions
        }
        self._totals = Totals(self._files, prefix, self.definitions)
        self._baselines = Baselines(folder, self._counts, clock)
        self._next_look = 0.0
        self._requests = Children(self.counter("http_requests_total").labels)
        self._durations = Children(self.histogram("http_request_duration_seconds").labels)
        self._queries = Children(self.histogram("database_query_duration_seconds").labels)
        self._cache_requests = Children(self.counter("cache_requests_total").labels)
        self._breaker_calls = Children(self.counter("circuit_breaker_calls_total").labels)
        self._in_flight, self._threads_busy = (
            self.gauge("http_requests_in_flight").number,
            self.gauge("threads_busy").number,
        )
        collector = SlotCollector(self._totals, prefix, self.definitions, clock)
        self._exporter = SlotExporter(self, prefix, collector)

    def attach(self, coordination: Coordination) -> None:
        """Go on with the numbers of this process's slot. Call it after the fork."""
        self._files.attach(coordination.slot)
        self._baselines.attach(coordination)

    def close(self) -> None:
        """Let go of the slot; what is recorded from now on is for nobody."""
        self._files.detach()

    def install(self, app: Flask) -> None:
        """Measure every request of `app`. Call it before anything else that looks at requests."""
        self._exporter.init_app(app)

    def counter(self, name: str) -> SlotCounter:
        """The counter `name` of the definitions. Raises KeyError or TypeError when it is none."""
        return _of_kind(self._instruments[name], SlotCounter)

    def gauge(self, name: str) -> SlotGauge:
        """The gauge `name`, as above."""
        return _of_kind(self._instruments[name], SlotGauge)

    def histogram(self, name: str) -> SlotHistogram:
        """The histogram `name`, as above."""
        return _of_kind(self._instruments[name], SlotHistogram)

    def request_begins(self) -> None:
        """A thread takes up a request."""
        with self._files.counting:
            self._in_flight.cell[0] += 1
            self._threads_busy.cell[0] += 1

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """The answer to a request is there."""
        number = self._requests[method, route, status].number
        total, bucket = self._durations[method, route].numbers(seconds)
        with self._files.counting:
            number.cell[0] += 1
            total.cell[0] += seconds
            bucket.cell[0] += 1

    def request_ends(self) -> None:
        """The thread is free again."""
        with self._files.counting:
            self._in_flight.cell[0] -= 1
            self._threads_busy.cell[0] -= 1
        self.look_after()

    def threads(self, limit: int) -> None:
        """So many threads of this process answer requests."""
        self.gauge("threads_limit").set(limit)

    def cache(self, region: str, result: str) -> None:
        """One question to the cache; `result`: hit, miss, stale, load, error."""
        self._cache_requests[region, result].number.inc(1)

    def database_query(self, operation: str, seconds: float) -> None:
        """One call of the store."""
        self._queries[(operation,)].count(seconds)

    def pool_in_use(self, connections: int) -> None:
        """How many database connections of this process are in use now."""
        self.gauge("database_pool_in_use").set(connections)

    def breaker_state(self, name: str, value: int) -> None:
        """0 closed, 1 half-open, 2 open, 3 forced open, -1 disabled: as this process sees it."""
        self.gauge("circuit_breaker_state").labels(name).set(value)

    def breaker_transition(self, name: str, from_state: str, to_state: str) -> None:
        """A breaker of this process changed its state."""
        self.counter("circuit_breaker_transitions_total").labels(name, from_state, to_state).inc()

    def breaker_call(self, name: str, outcome: str) -> None:
        """A call came to a breaker, and ended as `outcome` says."""
        self._breaker_calls[name, outcome].number.inc(1)

    def external(self, service: str, seconds: float) -> None:
        """One request to another service."""
        self.histogram("external_request_duration_seconds").labels(service).observe(seconds)

    def outbox(self, pending: int, oldest_age: float) -> None:
        """Tasks that wait, and the age of the oldest in seconds; it goes on growing till the next call."""
        self.gauge("outbox_pending").set(pending)
        since = self._clock().timestamp() - oldest_age if pending else NEVER_WAITS
        self.gauge("outbox_oldest_age_seconds").set(since)

    def heartbeat(self, moment: datetime) -> None:
        """The active worker lives."""
        self.gauge("worker_heartbeat_timestamp_seconds").set(moment.timestamp())
        self.look_after()

    def job_succeeded(self, job: str, moment: datetime) -> None:
        """A job of the worker did what it should."""
        self.gauge("job_last_success_timestamp_seconds").labels(job).set(moment.timestamp())

    def prometheus_text(self, accept: str | None = None) -> tuple[bytes, str]:
        """What Prometheus scrapes, of all processes, and its content type by the Accept header."""
        text, content_type = self._exporter.generate_metrics(accept)
        return text.encode(), content_type

    def metrics_document(self) -> dict[str, Any]:
        """The JSON form, of all processes since the last reset. Durations are seconds; `ratePerSecond` is the
        mean since then."""
        now, baseline = self._clock(), self._baselines.current()
        view = View(self._numbers(), baseline.numbers, self._totals)
        return {
            "timestamp": instant_text(now),
            "since": instant_text(baseline.since),
            "http": document.http(view, (now - baseline.since).total_seconds()),
            **{name: group(view) for name, group in self._groups.items()},
            "cache": document.cache(view),
            "database": document.database(view),
            "circuitBreakers": document.circuit_breakers(view),
            "external": document.external(view),
        }

    def reset(self) -> datetime:
        """The JSON form counts from now on, on all processes; says since when. Prometheus' counters go on."""
        return self._baselines.reset().since

    def look_after(self) -> None:
        """Follow a reset of another machine, and bring into the files what a full disk kept out of them; at
        most once a second."""
        moment = time.monotonic()
        if moment >= self._next_look:
            self._next_look = moment + _LOOK_SECONDS
            self._files.retry()
            self._note_room()
            self._baselines.current()

    def _note_room(self) -> None:
        with suppress(OSError):
            self.gauge("data_free_bytes").set(shutil.disk_usage(self._folder).free)

    def _numbers(self) -> dict[str, float]:
        return self._totals.numbers(self._clock().timestamp())

    def _counts(self) -> dict[str, float]:
        """The numbers that only grow."""
        found = ((key, number, self._totals.series(key)) for key, number in self._numbers().items())
        return {key: number for key, number, series in found if series and series.definition.kind != "gauge"}


def _of_kind(instrument: Instrument, kind: type[T]) -> T:
    if not isinstance(instrument, kind):
        raise TypeError(f"{type(instrument).__name__} is no {kind.__name__}")
    return instrument
