"""Single flight without anything shared but this process's memory: for the time without a carrier."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class _Flight:
    """One load that is under way or about to be."""

    begun: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    value: Any = None
    error: BaseException | None = None


class LocalFlights:
    """Callers that come while a load is under way share the next one, which begins after they came.

    So nobody is handed what was loaded before he asked: without a cache there is no generation that would
    tell that it is old.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[str, _Flight] = {}
        self._next: dict[str, _Flight] = {}

    def run(self, key: str, load: Callable[[], Any], wait_seconds: float) -> tuple[Any, bool]:
        """The value of a load that began after this call, and whether it was the caller's own; raises what
        that load raised.

        Who has waited `wait_seconds` loads for himself.
        """
        with self._lock:
            before = self._under_way.get(key)
            if before is None:
                mine = self._under_way[key] = _Flight(begun=True)
            else:
                mine = self._next.setdefault(key, _Flight())
        if before is None:
            return self._lead(key, mine, load), True
        if not before.done.wait(wait_seconds):
            return load(), True
        with self._lock:
            leads, mine.begun = not mine.begun, True
        if leads:
            return self._lead(key, mine, load), True
        if not mine.done.wait(wait_seconds):
            return load(), True
        if mine.error is not None:
            raise mine.error
        return mine.value, False

    def _lead(self, key: str, flight: _Flight, load: Callable[[], Any]) -> Any:
        with self._lock:
            # From now on, who comes belongs to the flight after this one.
            if self._next.get(key) is flight:
                del self._next[key]
            self._under_way[key] = flight
        try:
            flight.value = load()
        except BaseException as error:
            flight.error = error
            raise
        finally:
            with self._lock:
                if self._under_way.get(key) is flight:
                    del self._under_way[key]
            flight.done.set()
        return flight.value
