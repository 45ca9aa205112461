"""Who hears of what was committed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

log = logging.getLogger(__name__)


class NamedChange(Protocol):
    """What a verb changed; `verb` is its name, such as `bookings.hold`."""

    @property
    def verb(self) -> str: ...


C = TypeVar("C", bound=NamedChange)


class AllListeners(Generic[C]):
    """Tells each of its listeners, whatever another one of them does."""

    def __init__(self, *listeners: Callable[[C], None]) -> None:
        self._listeners = listeners

    def __call__(self, change: C) -> None:
        for listener in self._listeners:
            try:
                listener(change)
            except Exception:
                log.exception("a listener failed", extra={"verb": change.verb})
