"""Whether this process was told to end: it answers what it has, and is no longer ready for more."""

from __future__ import annotations


class _State:
    draining = False


def begin() -> None:
    """This process takes nothing new. May be called in a signal handler."""
    _State.draining = True


def is_draining() -> bool:
    """Whether `begin` was called in this process."""
    return _State.draining
