"""How much time a request still has. Set once where the request comes in, asked wherever it waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass

from common.resilience.refusals import DeadlineExceeded

REQUEST_SECONDS = 10.0


@dataclass(slots=True)
class Deadline:
    """An instant of a monotonic clock. `shortened`: whether a time-out was, since the last `check`."""

    ends_at: float
    monotonic: Callable[[], float]
    shortened: bool = False

    def left(self) -> float:
        """Seconds until then; negative when it has passed."""
        return self.ends_at - self.monotonic()


_present: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def begin(
    seconds: float = REQUEST_SECONDS, monotonic: Callable[[], float] = time.monotonic
) -> Token[Deadline | None]:
    """Give this thread or task `seconds` from now, never more than it had. Hand what is returned to `end`."""
    present, wanted = _present.get(), Deadline(monotonic() + seconds, monotonic)
    return _present.set(present if present is not None and present.left() < seconds else wanted)


def end(token: Token[Deadline | None]) -> None:
    """Go back to what held before `begin`."""
    _present.reset(token)


@contextmanager
def within(
    seconds: float = REQUEST_SECONDS, monotonic: Callable[[], float] = time.monotonic
) -> Iterator[None]:
    """`begin` and `end` round a block."""
    token = begin(seconds, monotonic)
    try:
        yield
    finally:
        end(token)


@contextmanager
def anew(seconds: float, monotonic: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Give the block `seconds` from now, even where the request had less: for one that reckons for long, such
    as with pictures, and is allowed to."""
    token = _present.set(Deadline(monotonic() + seconds, monotonic))
    try:
        yield
    finally:
        end(token)


def remaining(at_most: float) -> float:
    """The seconds that a call may take: `at_most` (its own time-out), or less when the request has less.

    Raises DeadlineExceeded when none are left.
    """
    present = _present.get()
    if present is None:
        return at_most
    left = present.left()
    if left <= 0:
        raise DeadlineExceeded
    if left >= at_most:
        return at_most
    present.shortened = True
    return left


def check() -> None:
    """Raises DeadlineExceeded when the request has no time left. From here on `cut_short` is about what comes
    next.
    """
    present = _present.get()
    if present is None:
        return
    if present.left() <= 0:
        raise DeadlineExceeded
    present.shortened = False


def cut_short() -> bool:
    """Whether what comes of this call may be our own impatience: `remaining` gave it less than its own
    time-out since the last `check`, and that is over.
    """
    present = _present.get()
    return present is not None and present.shortened and present.left() <= 0
