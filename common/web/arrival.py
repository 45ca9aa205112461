"""How long a request waited in this process before a thread took it up: the server says, the app asks."""

from __future__ import annotations

import threading


class _Waited(threading.local):
    seconds: float | None = None
    alone: bool = False


_waited = _Waited()


def note(seconds: float | None, *, alone: bool = False) -> None:
    """The request that this thread is about to begin waited `seconds`. None: it is not known.

    `alone`: none waits behind it.
    """
    _waited.seconds, _waited.alone = seconds, alone


def waited() -> float | None:
    """What was noted for this thread's request, in seconds; None under a server that does not say."""
    return _waited.seconds


def alone() -> bool:
    """Whether nobody waited behind this thread's request when it began."""
    return _waited.alone
