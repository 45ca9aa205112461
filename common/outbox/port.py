"""The words of the worker: tasks, what a handler may say of one, and what the loop asks of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID


class Permanent(Exception):
    """A handler says that its task can never succeed: it is given up at once."""


class Later(Exception):
    """A handler says that the time for its task has not come: it is tried again for as long as it takes.

    `seconds` asks for a wait of its own; None leaves it to the loop.
    """

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Task(Protocol):
    """One row of the outbox. `attempts` counts the claims, this one too."""

    @property
    def id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...
    @property
    def attempts(self) -> int: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def traceparent(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTask:
    """One outbox row: what is to be done outside after a commit. Done at least once.

    `traceparent`: the trace that it continues.
    """

    id: UUID
    kind: str
    payload: Mapping[str, Any]
    attempts: int
    created_at: datetime
    traceparent: str | None = None


class Outbox(Protocol):
    """What the loop asks of the store. Every verb may raise StoreUnavailable."""

    def claim(self, now: datetime, lease_until: datetime, limit: int) -> Sequence[Task]: ...
    def done(self, task_id: UUID) -> None: ...
    def failed(self, task_id: UUID, error: str, retry_at: datetime | None) -> None: ...
    def beat(self, owner: str, now: datetime, lease_until: datetime) -> bool: ...


class Watcher(Protocol):
    """Is told how the worker does; raises nothing."""

    def heartbeat(self, moment: datetime) -> None: ...
    def job_succeeded(self, job: str, moment: datetime) -> None: ...
