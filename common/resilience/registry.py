"""The breakers of a service by name, and what its operators see of them and do with them."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from common.clock import Clock
from common.coordination.port import Coordination
from common.resilience.breaker import Breaker
from common.resilience.bulletin import KEPT
from common.resilience.rows import Row, instant_text, row_of
from common.resilience.sharing import SharedPlaces, Sharing
from common.resilience.states import BreakerSpec, Mode


class Breakers(Mapping[str, Breaker]):
    """A service's breakers. Breakers work from the start; `start`, after the fork, shares them.

    What is shown is merged over the living processes: open when it is open in any of them, since its callers
    are refused there. An unknown name raises KeyError everywhere.
    """

    def __init__(
        self,
        coordination: Coordination,
        clock: Clock,
        specs: Iterable[BreakerSpec],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._breakers = {
            spec.name: Breaker(
                spec,
                monotonic=monotonic,
                clock=clock,
                chance=chance,
                places=SharedPlaces(coordination, spec.name, spec.trials),
            )
            for spec in specs
        }
        self.sharing = Sharing(self._breakers, coordination, clock=clock, monotonic=monotonic)

    def __getitem__(self, name: str) -> Breaker:
        return self._breakers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._breakers)

    def __len__(self) -> int:
        return len(self._breakers)

    def start(self) -> None:
        """Share from now on."""
        self.sharing.start()

    def stop(self) -> None:
        """Share no longer; the breakers go on."""
        self.sharing.stop()

    def reset(self, name: str) -> None:
        """Close at once, on all processes within a second."""
        self._known(name)
        self.sharing.reset(name)

    def reset_all(self) -> None:
        """`reset` of each."""
        for name in self._breakers:
            self.sharing.reset(name)

    def set_mode(self, name: str, mode: Mode, reason: str = "", until: datetime | None = None) -> None:
        """See Breaker.set_mode; on all processes within a second, and for those that start later."""
        self._known(name)
        self.sharing.set_mode(name, mode, reason, until)

    def open_names(self) -> list[str]:
        """Those that refuse calls in some process, sorted."""
        rows = self._rows()
        return sorted(name for name in self._breakers if _state(_of(rows, name).values()) == "OPEN")

    def snapshot(self, detailed: bool) -> dict[str, Any]:
        """The answer of `circuit-breakers`. `detailed`, for operators: error texts, reasons, events, and the
        row of each process.
        """
        rows = self._rows()
        breakers = {name: self._merged(name, _of(rows, name), detailed) for name in self._breakers}
        return {"timestamp": instant_text(self._clock()), "circuitBreakers": breakers}

    def _known(self, name: str) -> None:
        if name not in self._breakers:
            raise KeyError(name)

    def _rows(self) -> dict[str, Mapping[str, Any]]:
        """The rows of all living processes; our own as it is now, not as it was published."""
        rows = self.sharing.rows()
        breakers = {name: row_of(breaker.status(), KEPT) for name, breaker in self._breakers.items()}
        rows[self.sharing.own_name] = {"pid": os.getpid(), "breakers": breakers}
        return rows

    def _merged(self, name: str, rows: Mapping[str, Row], detailed: bool) -> dict[str, Any]:
        every = list(rows.values())
        calls, failures = _sum(every, "calls"), _sum(every, "failures")
        own = self._breakers[name].status()
        merged = {
            "name": name,
            "state": _state(every),
            "mode": own.mode,
            "failureRate": round(failures / calls, 4) if calls else 0.0,
            "requestCount": calls,
            "failureCount": failures,
            "successCount": calls - failures,
            "slowCount": _sum(every, "slow"),
            # Instants of one form sort as text.
            "openedAt": min((row["openedAt"] for row in every if row["openedAt"]), default=None),
            "nextAttemptTime": min(
                (row["nextAttemptTime"] for row in every if row["nextAttemptTime"]), default=None
            ),
        }
        if detailed:
            errors = [row["lastError"] for row in every if row["lastError"]]
            events = [
                {**event, "process": process} for process, row in rows.items() for event in row["events"]
            ]
            merged |= {
                "modeReason": own.mode_reason,
                "modeUntil": instant_text(own.mode_until),
                "lastError": max(errors, key=lambda error: str(error["at"]), default=None),
                "events": sorted(events, key=lambda event: str(event["at"]))[-KEPT:],
                "processes": {process: _without_events(row) for process, row in rows.items()},
            }
        return merged


def _of(rows: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Row]:
    return {
        process: {"pid": row.get("pid"), **row["breakers"][name]}
        for process, row in rows.items()
        if name in row["breakers"]
    }


def _state(rows: Iterable[Row]) -> str:
    states = {row["state"] for row in rows}
    return next((state for state in ("OPEN", "HALF_OPEN") if state in states), "CLOSED")


def _sum(rows: Iterable[Row], key: str) -> int:
    return sum(row[key] for row in rows)


def _without_events(row: Row) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "events"}
