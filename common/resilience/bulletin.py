"""What a breaker tells: its last events for those who ask, and each of them to those who listen."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from common.resilience.states import CallRecorded, Transition

log = logging.getLogger(__name__)

E = TypeVar("E", Transition, CallRecorded)

KEPT = 100


class Bulletin:
    """The last 100 transitions of one breaker, and its listeners.

    `note` is called under the breaker's lock and only remembers; `tell` is called outside it. A listener that
    raises is logged and hurts nobody; one that is slow holds up the call that it is told of.
    """

    __slots__ = ("_events", "_transition_listeners", "_untold", "call_listeners")

    def __init__(self) -> None:
        self._events: deque[Transition] = deque(maxlen=KEPT)
        self._untold: deque[Transition] = deque()
        self._transition_listeners: tuple[Callable[[Transition], None], ...] = ()
        self.call_listeners: tuple[Callable[[CallRecorded], None], ...] = ()

    def on_transition(self, listener: Callable[[Transition], None]) -> None:
        """Call `listener` after each transition, in the thread that caused it."""
        self._transition_listeners += (listener,)

    def on_call(self, listener: Callable[[CallRecorded], None]) -> None:
        """Call `listener` after each call; this is paid by every call."""
        self.call_listeners += (listener,)

    def note(self, event: Transition) -> None:
        """Keep `event`, to be told by the next `tell`."""
        self._events.append(event)
        self._untold.append(event)

    def tell(self) -> None:
        """Tell the listeners what was noted."""
        while self._untold:
            try:
                event = self._untold.popleft()
            except IndexError:
                return  # another thread was quicker
            for listener in self._transition_listeners:
                _tell(listener, event)

    def tell_call(self, event: CallRecorded) -> None:
        """Tell those who listen to calls."""
        for listener in self.call_listeners:
            _tell(listener, event)

    def events(self) -> tuple[Transition, ...]:
        """The last transitions, the oldest first. Called under the breaker's lock."""
        return tuple(self._events)


def _tell(listener: Callable[[E], None], event: E) -> None:
    try:
        listener(event)
    except Exception:
        log.exception("a listener of breaker %s failed", event.name)
