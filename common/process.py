"""What a process of a service stands on, and when it is made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from common.clock import Clock
from common.monitoring.checks import Check, Runner
from common.monitoring.metrics.service import ServiceMetrics
from common.parts import Parts
from common.repeated import Repeated


class WatchedOutbox(Protocol):
    """What of the outbox tells how the worker does."""

    def heartbeat(self) -> datetime | None: ...
    def depth(self, now: datetime) -> tuple[int, float]: ...


class ServiceStore(Protocol):
    """What every service's store has. `ping` asks for a sign of life, past the breaker."""

    @property
    def outbox(self) -> WatchedOutbox: ...
    @property
    def ping(self) -> Callable[[], None]: ...
    @property
    def close(self) -> Callable[[], None]: ...


class ServicePorts(Protocol):
    """What every service's ports have."""

    @property
    def clock(self) -> Clock: ...


P = TypeVar("P", bound=ServicePorts)
S = TypeVar("S", bound=ServiceStore)
M = TypeVar("M", bound=ServiceMetrics)


# Without slots: a generic class notes its parameters on what it makes, or tries to.
@dataclass(frozen=True, kw_only=True)
class Running(Generic[P, S, M]):
    """What a process of the service stands on. `store` is that of the ports, without what goes round it;
    `beside` is done beside the requests.
    """

    ports: P
    store: S
    parts: Parts
    metrics: M
    beside: tuple[Repeated, ...] = ()

    def close(self) -> None:
        """Let go of everything."""
        self.store.close()
        self.parts.close()


class Process(Generic[P, S, M]):
    """What a process makes for itself once it is there: what it stands on, and the threads of its checks.

    Gunicorn's hook begins it after the fork; without gunicorn the first request does.
    """

    def __init__(
        self,
        make: Callable[[], Running[P, S, M]],
        checks: Callable[[Callable[[], Running[Any, Any, Any]]], Sequence[Check]],
    ) -> None:
        """`checks` are called here, with what tells a check what the process stands on."""
        self._make = make
        self._lock = threading.Lock()
        self._running: Running[P, S, M] | None = None
        self._begun = False
        self.runner = Runner(checks(self.running))

    def running(self) -> Running[P, S, M]:
        """What this process stands on."""
        if self._running is None:
            with self._lock:
                if self._running is None:  # else another thread made it meanwhile
                    self._running = self._make()
        return self._running

    def ports(self) -> P:
        """The ports of this process."""
        return self.running().ports

    def parts(self) -> Parts:
        """The parts of this process."""
        return self.running().parts

    def begin(self) -> None:
        """Start what runs beside the requests; later calls do nothing."""
        if self._begun:
            return
        with self._lock:
            begins, self._begun = not self._begun, True
        if begins:
            for repeated in self.running().beside:
                repeated.start()
            self.runner.start()

    def end(self) -> None:
        """Stop what `begin` started, and let go of the connections."""
        self.runner.stop()
        if self._running is not None:
            for repeated in self._running.beside:
                repeated.stop()
            self._running.close()
