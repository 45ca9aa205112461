"""What a task carries, read by its handler."""

from __future__ import annotations

from uuid import UUID

from common.outbox.port import Permanent, Task


def text_of(task: Task, name: str) -> str:
    """The text `name` of the payload. Raises Permanent without one."""
    value = task.payload.get(name)
    if not isinstance(value, str):
        raise Permanent(f"the task has no {name}")
    return value


def id_of(task: Task, name: str) -> UUID:
    """The id `name` of the payload. Raises Permanent when it is none."""
    try:
        return UUID(text_of(task, name))
    except ValueError as error:
        raise Permanent(f"{name} is not an id") from error
