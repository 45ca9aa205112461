"""How much time a request still has. Set once where the request comes in, asked wherever it waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass

from common.resilience.refusals import DeadlineExceeded

REQUEST_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of a monotonic clock."""

    ends_at: float
    monotonic: Callable[[], float]

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
    return min(at_most, left)


def check() -> None:
    """Raises DeadlineExceeded when the request has no time left."""
    present = _present.get()
    if present is not None and present.left() <= 0:
        raise DeadlineExceeded
