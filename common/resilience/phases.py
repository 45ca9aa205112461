"""A breaker's state and how it moves. Each period between two moves is a generation.

Not safe for threads: the circuit's lock is held round each call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from common.clock import Clock, to_milliseconds
from common.resilience.bulletin import Bulletin
from common.resilience.states import (
    BreakerSpec,
    Condition,
    LastError,
    Mode,
    State,
    Status,
    Transition,
)
from common.resilience.trials import Lease, Trials
from common.resilience.window import Counts, RollingWindow

JITTER = 0.2

_CONDITIONS: dict[State, Condition] = {"closed": "CLOSED", "open": "OPEN", "half_open": "HALF_OPEN"}


class Closed:
    """The permit of all calls of one closed generation, and what they came to.

    `not_before`: until when a server asked, by `Retry-After`, to be left alone.
    """

    __slots__ = ("not_before", "window")

    def __init__(self, window: RollingWindow, not_before: float) -> None:
        self.window = window
        self.not_before = not_before


Permit = Closed | Lease


class Phases:
    """Closed, open or half-open; automatic, forced open or disabled.

    `passing` is the permit of everybody while the breaker is closed and automatic, else None. `permit` is the
    last closed generation's, which a disabled breaker goes on with. `abandoned`: leases whose places are
    to be given back, outside the lock.
    """

    def __init__(self, spec: BreakerSpec, now: float, clock: Clock, random: Callable[[], float]) -> None:
        self.bulletin = Bulletin()
        self.state: State = "closed"
        self.mode: Mode = "automatic"
        self.mode_until: datetime | None = None
        self.until = 0.0
        self.trials = Trials(spec.trials, spec.successes_to_close)
        self.abandoned: deque[Lease] = deque()
        self.permit = Closed(RollingWindow(now), now)
        self.passing: Closed | None = self.permit
        self.last_error: LastError | None = None
        self._spec, self._clock, self._random = spec, clock, random
        self._mode_reason = ""
        self._generation = self._openings = self._waits_in_a_row = 0
        self._own_evidence = False
        self._opened_at: datetime | None = None
        self._next_attempt_at: datetime | None = None
        self._retired = Counts()

    def open(self, now: float, cause: str, *, own_evidence: bool) -> None:
        """Refuse until a wait is over that doubles, up to the cap, each time in a row, with jitter."""
        waits, doubled = self._spec.waits, 2 ** min(self._waits_in_a_row, 30)
        wait = waits.first * doubled * (1 - JITTER + 2 * JITTER * self._random())
        wait = min(waits.longest, max(wait, self.permit.not_before - now))
        self.until = now + wait
        self._next_attempt_at = to_milliseconds(self._clock() + timedelta(seconds=wait))
        self._waits_in_a_row += 1
        self._own_evidence = own_evidence
        self._openings += own_evidence
        self._opened_at = self._opened_at or self._clock()
        # What was counted stays to be seen; those who are still inside report to the old permit, in vain.
        self.permit = Closed(self.permit.window.copy(), self.permit.not_before)
        self._new_trials()
        self._move("open", cause)

    def wait_no_longer(self, now: float) -> None:
        """Let the next call be a trial, if it is open."""
        if self.state == "open":
            self.until = min(self.until, now)

    def half_open(self) -> None:
        """Let trials decide."""
        self._new_trials()
        self._move("half_open", "the wait is over")

    def close(self, now: float, cause: str) -> None:
        """Let everybody pass, with nothing remembered against the dependency."""
        self._forget(now)
        self._move("closed", cause)

    def set_mode(self, now: float, mode: Mode, reason: str, until: datetime | None) -> None:
        """What the operator wants. Another mode than before starts from a clean closed state."""
        before, changed = self.condition(), mode != self.mode
        self.mode, self._mode_reason, self.mode_until = mode, reason, until
        if not changed:
            return
        self._forget(now)
        if mode == "forced_open":
            self._opened_at = self._clock()
        self._move("closed", f"{mode}: {reason}" if reason else mode, before)

    def end_mode_in_time(self, now: float) -> None:
        """Back to automatic when the time that the operator gave is over."""
        if self.mode_until is not None and self._clock() >= self.mode_until:
            self.set_mode(now, "automatic", "the time given is over", None)

    def seen_state(self, now: float) -> State:
        """As others see it: an open breaker whose wait is over is half-open though nobody called."""
        if self.mode != "automatic":
            return "open" if self.mode == "forced_open" else "closed"
        if self.state == "open" and now >= self.until:
            return "half_open"
        return self.state

    def is_forgotten(self, now: float) -> bool:
        """Open on the word of others, with its wait over and no call since that would have tried."""
        return self.condition() == "OPEN" and now >= self.until and not self._own_evidence

    def condition(self) -> Condition:
        """State and mode in one word."""
        if self.mode == "forced_open":
            return "FORCED_OPEN"
        return "DISABLED" if self.mode == "disabled" else _CONDITIONS[self.state]

    def next_attempt_at(self, now: float) -> datetime | None:
        """When a call is let through again; None when it is let through now, or when nobody knows."""
        if self.mode == "forced_open":
            return self.mode_until
        if self.seen_state(now) != "open":
            return None
        return self._next_attempt_at

    def totals(self) -> Counts:
        """The calls of all closed generations since the process began."""
        return _sum(self._retired, self.permit.window.totals())

    def status(self, now: float) -> Status:
        """All of it at `now`."""
        return Status(
            name=self._spec.name,
            state=self.seen_state(now),
            condition=self.condition(),
            mode=self.mode,
            mode_reason=self._mode_reason,
            mode_until=self.mode_until,
            counts=self.permit.window.counts(now),
            generation=self._generation,
            openings=self._openings,
            own_evidence=self._own_evidence,
            opened_at=self._opened_at,
            next_attempt_at=self.next_attempt_at(now),
            last_error=self.last_error,
            events=self.bulletin.events(),
        )

    def _forget(self, now: float) -> None:
        self._retired = self.totals()
        self.permit = Closed(RollingWindow(now), now)
        self._new_trials()
        self._waits_in_a_row = 0
        self._own_evidence = False
        self._opened_at = None

    def _new_trials(self) -> None:
        """The leases of earlier trials are worth nothing any more, even if their calls never end."""
        if self.trials.current is not None:
            self.abandoned.append(self.trials.current)
        self.trials = Trials(self._spec.trials, self._spec.successes_to_close)

    def _move(self, state: State, cause: str, before: Condition | None = None) -> None:
        before = before or self.condition()
        self.state = state
        self._generation += 1
        self.passing = self.permit if state == "closed" and self.mode == "automatic" else None
        self.bulletin.note(Transition(self._spec.name, self._clock(), before, self.condition(), cause))


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(one.calls + other.calls, one.failures + other.failures, one.slow + other.slow)
