"""The words of a breaker: its states, modes and outcomes, what it is told to be, what it tells others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from common.resilience.window import Counts

State = Literal["closed", "open", "half_open"]
"""Written as the `circuitbreaker` package writes them; in capitals everywhere outside this package."""

Mode = Literal["automatic", "forced_open", "disabled"]
Outcome = Literal["failure", "success", "ignored"]
Condition = Literal["CLOSED", "OPEN", "HALF_OPEN", "FORCED_OPEN", "DISABLED"]
"""State and mode in one word, as the metrics show them."""

MODES: tuple[Mode, ...] = ("automatic", "forced_open", "disabled")
"""All that an operator can ask for."""


class Verdict(NamedTuple):
    """What an exception says about the dependency; `retry_after_seconds` if the server asked for a pause."""

    outcome: Outcome
    retry_after_seconds: float | None = None


Classify = Callable[[BaseException], Outcome | Verdict]
"""A refusal of business (sold out, 404) is a success of the dependency; a time-out, a refused connection and
a 5xx are failures; what says nothing about it is ignored."""


def every_exception_fails(_error: BaseException) -> Outcome:
    """The classification when a dependency has none of its own."""
    return "failure"


@dataclass(frozen=True, slots=True)
class Waits:
    """How long an open breaker waits: first, and at most. In seconds."""

    first: float
    longest: float


DATABASE_WAITS = Waits(1, 10)
CACHE_WAITS = Waits(1, 5)
INTERNAL_WAITS = Waits(5, 60)
"""Internal APIs and storage."""
EXTERNAL_WAITS = Waits(30, 300)
"""Payment, mail, webhooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSpec:
    """One dependency's breaker.

    `timeout_seconds`: the time-out that its driver enforces. A call that took half of it is slow, one that
    took all of it has failed even if an answer came. `fallback` answers, with the call's arguments, in place
    of `CircuitOpen`.
    """

    name: str
    timeout_seconds: float
    waits: Waits
    classify: Classify = every_exception_fails
    fallback: Callable[..., object] | None = None
    minimum_calls: int = 10
    minimum_failures: int = 5
    failure_rate: float = 0.5
    consecutive_failures: int = 5
    slow_rate: float = 0.8
    trials: int = 3
    successes_to_close: int = 2

    @property
    def slow_seconds(self) -> float:
        """A call that took this long is slow."""
        return self.timeout_seconds / 2

    @property
    def lease_seconds(self) -> float:
        """How long a trial may take before it is given up: twice what the driver allows."""
        return self.timeout_seconds * 2

    def reason_to_open(self, counts: Counts) -> str | None:
        """Why `counts` open a closed breaker, or None."""
        calls, failures, slow, consecutive = counts
        if calls < self.minimum_calls or failures < self.minimum_failures:
            return None
        if failures >= self.failure_rate * calls:
            return f"{failures} of {calls} calls failed"
        if consecutive >= self.consecutive_failures:
            return f"the last {consecutive} calls failed"
        if slow >= self.slow_rate * calls:
            return f"{slow} of {calls} calls were slow, {failures} failed"
        return None


@dataclass(frozen=True, slots=True)
class Transition:
    """A breaker changed, or was reset while it was closed (then both conditions are equal)."""

    name: str
    at: datetime
    from_condition: Condition
    to_condition: Condition
    cause: str


class CallRecorded(NamedTuple):
    """A call ended, or was refused (`seconds` is 0 then)."""

    name: str
    outcome: Outcome | Literal["refused"]
    seconds: float = 0.0
    slow: bool = False
    trial: bool = False


@dataclass(frozen=True, slots=True)
class LastError:
    """The last failure of the dependency, in words that may hold addresses: for operators."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A breaker of one process at one instant.

    `openings`: how often it opened on its own evidence, not because others had. `own_evidence`: whether it is
    open, or half-open, for that reason.
    """

    name: str
    state: State
    condition: Condition
    mode: Mode
    mode_reason: str
    mode_until: datetime | None
    counts: Counts
    generation: int
    openings: int
    own_evidence: bool
    opened_at: datetime | None
    next_attempt_at: datetime | None
    last_error: LastError | None
    events: tuple[Transition, ...]
