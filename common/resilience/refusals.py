"""The ways in which a call is refused before it reaches the dependency."""

from __future__ import annotations

from typing import Any

from circuitbreaker import CircuitBreakerError


class Refused(Exception):
    """The dependency was not asked. It says nothing about the dependency, so no breaker counts it.

    `retry_after_seconds`: when it is worth asking again.
    """

    retry_after_seconds: float = 1.0


class CircuitOpen(CircuitBreakerError, Refused):  # type: ignore[misc]  # the package has no types
    """The breaker `name` lets no call through for `retry_after_seconds`."""

    def __init__(self, circuit_breaker: Any, retry_after_seconds: float) -> None:
        super().__init__(circuit_breaker)
        self.name: str = circuit_breaker.name
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return f"{self.name} is not asked: its circuit is open, try again in {self.retry_after_seconds:.1f} s"


class BulkheadFull(Refused):
    """As many calls as are allowed are under way to `name` in this process."""

    def __init__(self, name: str, limit: int, retry_after_seconds: float) -> None:
        super().__init__(f"{name} is not asked: {limit} calls are under way already")
        self.name = name
        self.retry_after_seconds = retry_after_seconds


class DeadlineExceeded(Refused):
    """The request has no time left: the dependency was not asked, or could not answer in what was left. In
    the second case what it was asked for may have happened.
    """

    def __init__(self) -> None:
        super().__init__("the request has no time left")
