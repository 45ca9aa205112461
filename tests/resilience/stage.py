"""A breaker whose time the test owns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from common.resilience.breaker import Breaker
from common.resilience.states import BreakerSpec, Waits

START = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
SPEC = BreakerSpec(name="payment-api", timeout_seconds=8, waits=Waits(30, 300))


class Away(Exception):
    """The dependency does not answer."""


class Busy(Away):
    """The dependency asks for a pause."""

    def __init__(self, retry_after_seconds: Any) -> None:
        super().__init__("busy")
        self.retry_after_seconds = retry_after_seconds


class Time:
    """Stands still until it is moved; both clocks move together."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        """Move on."""
        self.seconds += seconds

    def day(self) -> datetime:
        """The time of day."""
        return START + timedelta(seconds=self.seconds - 1000)


def breaker_of(time: Time, spec: BreakerSpec = SPEC, **more: Any) -> Breaker:
    """A breaker without jitter: `chance` in the middle."""
    return Breaker(spec, monotonic=time, clock=time.day, **{"chance": lambda: 0.5, **more})


def answer() -> str:
    """A call that succeeds."""
    return "answer"


def fail(error: BaseException | None = None) -> None:
    """A call that raises."""
    raise error or Away("no answer")


def taking(time: Time, seconds: float, error: BaseException | None = None) -> Callable[[], str]:
    """A call that takes a while."""

    def call() -> str:
        time.pass_by(seconds)
        if error is not None:
            raise error
        return "answer"

    return call


def succeed(breaker: Breaker, times: int = 1) -> None:
    """So many successes."""
    for _ in range(times):
        breaker.call(answer)


def break_down(breaker: Breaker, times: int = 1, error: BaseException | None = None) -> None:
    """So many failures, each let through."""
    for _ in range(times):
        try:
            breaker.call(fail, error)
        except (Away, ValueError, OSError):
            continue
        raise AssertionError("the call did not fail")


def opened(time: Time, spec: BreakerSpec = SPEC, **more: Any) -> Breaker:
    """A breaker that has just opened."""
    breaker = breaker_of(time, spec, **more)
    break_down(breaker, 10)
    assert breaker.state == "open"
    return breaker
