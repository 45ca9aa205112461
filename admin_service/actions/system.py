"""The system as a whole: its mode, its services, what its worker does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from admin_service.actions.ports import Ports
from admin_service.clients.port import TicketingUnavailable
from admin_service.domain.audit import AuditEvent, Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.modes import Mode, SystemMode
from admin_service.storage.ports.config import ConfigStore
from common.database.unavailable import StoreUnavailable
from common.outbox.port import DeadTask, TaskCount
from common.pages import Page

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMode:
    mode: Mode
    reason: str
    expected_version: int
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service as it answers now; `status` is what its health says, or `unreachable`."""

    name: str
    status: str
    version: str = ""
    response_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the worker has to do. `heartbeat_at`: its last sign of life."""

    heartbeat_at: datetime | None
    waiting: int
    oldest_seconds: float
    kinds: tuple[TaskCount, ...]


def show_mode(ports: Ports) -> SystemMode:
    return ports.store.config.mode()


def set_mode(command: SetMode, ports: Ports) -> SystemMode:
    """Raises VERSION_CONFLICT."""
    return change_mode(command, ports.store.config, ports.clock())


def change_mode(command: SetMode, store: ConfigStore, now: datetime) -> SystemMode:
    """The same in a store that is open for this alone. Raises VERSION_CONFLICT."""
    current = store.mode()
    if current.version != command.expected_version:
        raise Refused(Code.VERSION_CONFLICT, facts={"version": current.version})
    wanted = SystemMode(
        mode=command.mode,
        reason=command.reason,
        changed_at=now,
        changed_by=command.origin.actor,
        version=current.version + 1,
    )
    event = AuditEvent(
        at=now,
        origin=command.origin,
        action="system.mode",
        subject="system",
        before={"mode": current.mode.value, "reason": current.reason},
        after={"mode": wanted.mode.value, "reason": wanted.reason},
    )
    return store.set_mode(wanted, event)


def show_services(own: Service, ports: Ports) -> tuple[Service, ...]:
    """This service, which answers as `own`, and those that it knows."""
    return own, _ticketing(ports)


def show_work(ports: Ports) -> Work:
    outbox = ports.store.outbox
    waiting, oldest = outbox.depth(ports.clock())
    return Work(
        heartbeat_at=outbox.heartbeat(), waiting=waiting, oldest_seconds=oldest, kinds=outbox.by_kind()
    )


def find_given_up(limit: int, cursor: str | None, ports: Ports) -> Page[DeadTask]:
    return ports.store.outbox.given_up(limit, cursor)


def revive(task_id: UUID, origin: Origin, ports: Ports) -> None:
    """Let the worker try a job again that it has given up. Raises JOB_NOT_FOUND."""
    now = ports.clock()
    if not ports.store.outbox.revive(task_id, now):
        raise Refused(Code.JOB_NOT_FOUND)
    event = AuditEvent(at=now, origin=origin, action="system.retry", subject=str(task_id))
    ports.store.audit.append(event)


class ModeWatch:
    """The present mode, read at most once in `seconds`: writes ask for it, and there are many. While the
    store is away the last known one stands; nothing can be written then anyway.
    """

    def __init__(self, seconds: float = 1.0, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._monotonic = seconds, monotonic
        self._read_at = float("-inf")
        self._mode = Mode.NORMAL

    def mode(self, ports: Ports) -> Mode:
        """The mode as it was within the last moments."""
        now = self._monotonic()
        if now - self._read_at >= self._seconds:
            self._read_at = now
            try:
                self._mode = ports.store.config.mode().mode
            except StoreUnavailable as error:
                log.info("the mode cannot be read: %s", error)
        return self._mode


def _ticketing(ports: Ports) -> Service:
    started = time.perf_counter()
    try:
        health = ports.ticketing.health()
    except TicketingUnavailable:
        return Service(name="ticketing", status="unreachable")
    took = round((time.perf_counter() - started) * 1000, 1)
    return Service(
        name="ticketing",
        status=str(health.get("status", "unknown")),
        version=str(health.get("version", "")),
        response_ms=took,
    )
