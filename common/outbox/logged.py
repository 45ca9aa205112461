"""A task's log lines: which task, what it is about, how long it took."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from common.monitoring import tracing
from common.outbox.port import Task

log = logging.getLogger(__name__)


@contextmanager
def logged(task: Task) -> Iterator[None]:
    """In the trace of who wrote the task, with lines that name it; one line at the end. Of the payload only
    the ids are written, as the rest may be personal.
    """
    about = {name: text for name, text in task.payload.items() if name.endswith("Id") and _is_id(text)}
    began = time.perf_counter()
    with tracing.work(task.traceparent, **{**about, "task": task.kind, "taskId": str(task.id)}):
        yield
        milliseconds = round((time.perf_counter() - began) * 1000, 2)
        log.info("task ended", extra={"attempt": task.attempts, "durationMs": milliseconds})


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False
