"""From where the JSON view counts: a reset moves it, and Prometheus' counters go on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import orjson

from common.clock import Clock
from common.coordination.port import Coordination
from common.monitoring.metrics.slot_files import exclusively
from common.monitoring.metrics.totals import Numbers

log = logging.getLogger(__name__)

EPOCH = "metrics.reset"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The numbers at the reset that made `epoch`; `since` is when that was."""

    epoch: int
    since: datetime
    numbers: Numbers = field(default_factory=dict)


class Baselines:
    """The baseline of a folder, shared by its processes as a file. A new epoch, which may come from another
    machine, moves it: by whoever sees it first.
    """

    def __init__(self, folder: Path, snapshot: Callable[[], Numbers], clock: Clock) -> None:
        self._path = folder / "baseline.json"
        self._snapshot, self._clock = snapshot, clock
        self._coordination: Coordination | None = None
        self._last: Baseline | None = None
        self._file_seen: tuple[int, int] | None = None

    def attach(self, coordination: Coordination) -> None:
        """Follow the epoch of `coordination`. A baseline of a later epoch, of a carrier that was left behind,
        keeps its numbers."""
        self._coordination = coordination
        epoch, found = coordination.epoch(EPOCH), self._read()
        if found is None:
            self._move(epoch, lambda: Baseline(epoch, self._clock()))
        elif found.epoch > epoch:
            try:
                self._save(Baseline(epoch, found.since, found.numbers))
            except OSError as error:
                log.warning("the baseline of metrics cannot be kept: %s", error)

    def reset(self) -> Baseline:
        """Count from now on, on all processes."""
        if self._coordination is None:
            self._last = Baseline(0, self._clock(), self._snapshot())
            return self._last
        return self._move(self._coordination.bump(EPOCH), self._present)

    def current(self) -> Baseline:
        """The baseline that counts now."""
        found = self._read()
        epoch = 0 if self._coordination is None else self._coordination.epoch(EPOCH)
        if found is None or epoch > found.epoch:
            return self._move(epoch, self._present if found is not None else self._first)
        return found

    def _present(self) -> Baseline:
        epoch = 0 if self._coordination is None else self._coordination.epoch(EPOCH)
        return Baseline(epoch, self._clock(), self._snapshot())

    def _first(self) -> Baseline:
        return Baseline(0, self._clock())

    def _move(self, epoch: int, make: Callable[[], Baseline]) -> Baseline:
        """The baseline of at least `epoch`: somebody else's, else the one that `make` makes."""
        if self._coordination is None:
            self._last = made = make()
            return made
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with exclusively(self._path.with_suffix(".guard")):
                found = self._read()
                if found is not None and found.epoch >= epoch:
                    return found
                made = make()
                made = Baseline(max(epoch, made.epoch), made.since, made.numbers)
                self._save(made)
                return made
        except OSError as error:
            log.warning("the reset of metrics stays in this process: %s", error)
            made = make()
            self._last = Baseline(max(epoch, made.epoch), made.since, made.numbers)
            return self._last

    def _save(self, baseline: Baseline) -> None:
        document = {
            "epoch": baseline.epoch,
            "since": baseline.since.isoformat(),
            "numbers": baseline.numbers,
        }
        written = self._path.with_suffix(".new")
        written.write_bytes(orjson.dumps(document))
        written.replace(self._path)
        self._last = baseline

    def _read(self) -> Baseline | None:
        """The file's; without it the last one known here."""
        try:
            status = self._path.stat()
            seen = (status.st_ino, status.st_mtime_ns)
            if seen != self._file_seen:
                self._file_seen = seen
                document = orjson.loads(self._path.read_bytes())
                numbers = {str(key): float(number) for key, number in document["numbers"].items()}
                since = datetime.fromisoformat(document["since"])
                self._last = Baseline(int(document["epoch"]), since, numbers)
        except OSError:
            return self._last
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("the baseline of metrics is damaged: %s", error)
            return self._last
        return self._last
