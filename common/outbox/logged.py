"""A task's log lines: which task, what it is about, how long it took."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol
from uuid import UUID

from common.monitoring import tracing

log = logging.getLogger(__name__)


class LoggedTask(Protocol):
    """What is written about a task; of its payload only the ids, as the rest may be personal."""

    @property
    def id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...
    @property
    def attempts(self) -> int: ...


@contextmanager
def logged(task: LoggedTask) -> Iterator[None]:
    """In a trace of its own, whose lines name the task; one line at the end."""
    about = {name: text for name, text in task.payload.items() if name.endswith("Id") and _is_id(text)}
    began = time.perf_counter()
    with tracing.work(**{**about, "task": task.kind, "taskId": str(task.id)}):
        yield
        milliseconds = round((time.perf_counter() - began) * 1000, 2)
        log.info("task ended", extra={"attempt": task.attempts, "durationMs": milliseconds})


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False
