"""Trying again, within a budget: when everything fails, retries must not double the load."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from common.resilience import deadline
from common.resilience.refusals import DeadlineExceeded
from common.resilience.states import Verdict

T = TypeVar("T")

RATIO = 0.2
SAVED = 10.0


class RetryBudget:
    """Each call adds `ratio` of a retry, each retry takes one; at most `saved` are kept for later.

    It starts empty, so that retries are never more than `ratio` of the calls. Safe for threads.
    """

    def __init__(self, ratio: float = RATIO, saved: float = SAVED) -> None:
        self._ratio, self._saved = ratio, saved
        self._lock = threading.Lock()
        self._tokens = 0.0

    def earn(self) -> None:
        """A call was made."""
        with self._lock:
            self._tokens = min(self._saved, self._tokens + self._ratio)

    def spend(self) -> bool:
        """Take one retry; False when there is none."""
        with self._lock:
            # Five times 0.2 is to be one, whatever the last binary digit says.
            if self._tokens < 1 - 1e-9:
                return False
            self._tokens = max(0.0, self._tokens - 1)
            return True


class Retry:
    """Repeats idempotent calls that the dependency failed.

    Args:
        judge: what an exception says about the dependency; only failures are repeated. A pause that the
            server asks for is kept when it is at most `longest_pause_seconds`, else there is no retry.
        attempts: in all, the first included.
        first_pause_seconds: before the second attempt; doubles, and is cut by up to half at random.
    """

    def __init__(
        self,
        judge: Callable[[BaseException], Verdict],
        budget: RetryBudget,
        *,
        attempts: int = 2,
        first_pause_seconds: float = 0.05,
        longest_pause_seconds: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._judge, self._budget, self._attempts = judge, budget, attempts
        self._first_pause, self._longest_pause = first_pause_seconds, longest_pause_seconds
        self._sleep, self._chance = sleep, chance

    def call(self, function: Callable[[], T], *, idempotent: bool) -> T:
        """What `function` returns at last, or its last exception; that of the attempt before when there was
        no time for the last one.
        """
        self._budget.earn()
        attempt, before = 1, None
        while True:
            try:
                return function()
            except Exception as error:
                if before is not None and isinstance(error, DeadlineExceeded):
                    raise before from error
                pause = self._pause(attempt, error) if idempotent else None
                if pause is None or not self._budget.spend():
                    raise
                before = error
            self._sleep(pause)
            attempt += 1

    def _pause(self, attempt: int, error: Exception) -> float | None:
        """Seconds before the next attempt; None when there must be none."""
        verdict = self._judge(error)
        if attempt >= self._attempts or verdict.outcome != "failure":
            return None
        pause = self._first_pause * 2.0 ** (attempt - 1) * (1 - self._chance() / 2)
        pause = max(pause, verdict.retry_after_seconds or 0.0)
        if pause > self._longest_pause:
            return None
        try:
            # An attempt that could only begin when the time is over is no attempt.
            return pause if deadline.remaining(pause * 2) > pause else None
        except DeadlineExceeded:
            return None
