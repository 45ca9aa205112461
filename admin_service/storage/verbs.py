"""Which verbs of a store change something that others follow, and what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from admin_service.storage.changes import Change

Given = Mapping[str, Any]
"""The arguments of a verb by name."""

Telling = Callable[[str, Given, Any], Change | None]
"""Says what a verb did, by its name, its arguments and its result; None: nothing that others follow."""


def _config(operation: str, given: Given, result: Any) -> Change:
    return Change(verb=operation, what=" ".join(result.changed), count=len(result.changed))


TOLD: dict[str, Telling] = {"config.change": _config}


def tells(operation: str) -> bool:
    """Whether anything is to be told of `operation`, such as `pois.publish`."""
    return operation in TOLD


def change_of(operation: str, given: Given, result: Any) -> Change | None:
    """What `operation` did."""
    return TOLD[operation](operation, given, result)
