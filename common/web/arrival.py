"""How long a request waited in this process before a thread took it up: the server says, the app asks."""

from __future__ import annotations

import threading


class _Waited(threading.local):
    seconds: float | None = None


_waited = _Waited()


def note(seconds: float | None) -> None:
    """The request that this thread is about to begin waited `seconds`. None: it is not known."""
    _waited.seconds = seconds


def waited() -> float | None:
    """What was noted for this thread's request, in seconds; None under a server that does not say."""
    return _waited.seconds
