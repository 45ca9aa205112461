"""What a committed verb of the store changed, for those who follow: metrics and caches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from common.storage.listeners import AllListeners


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One committed verb. `verb` is its name in `storage.ports`, such as `pois.publish`.

    `ids`: of the things that it changed. `what`: in one word what became of them, for metrics. `count`: how
    many. `anywhere`: more things may be concerned than are named.
    """

    verb: str
    ids: frozenset[UUID] = frozenset()
    what: str = ""
    count: int = 1
    anywhere: bool = False

    @property
    def aggregate(self) -> str:
        """The port of the verb, such as `pois`."""
        return self.verb.partition(".")[0]


Listener = Callable[[Change], None]
"""Is told after the commit. What it raises is logged, and never fails the write."""

Listeners = AllListeners[Change]
"""Tells each of its listeners, whatever another one of them does."""
