"""Health checks: each runs in a thread of its own, and an answer reads its last result."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

log = logging.getLogger(__name__)

Status = Literal["healthy", "degraded", "unhealthy"]

INTERVAL_SECONDS = 2.0
STALE_SECONDS = 10.0
MEMORY_DEGRADED = 0.9


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found. `facts` are for everybody, `detail` (addresses, error texts) for operators."""

    status: Status
    facts: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. `run` owns its connection and may take as long as it must; raising means `when_failed`.

    `vital`: without it the service cannot serve. `first`: the facts until, and when, it cannot tell.
    """

    name: str
    run: Callable[[], Result]
    vital: bool = False
    first: Mapping[str, Any] = field(default_factory=dict)
    interval_seconds: float = INTERVAL_SECONDS

    @property
    def when_failed(self) -> Status:
        """What a failure of this check means for the service."""
        return "unhealthy" if self.vital else "degraded"


class Runner:
    """Runs `checks` in the background. Start it after the fork: threads do not survive one."""

    def __init__(self, checks: Sequence[Check], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.checks = tuple(checks)
        self._monotonic = monotonic
        self._results: dict[str, tuple[Result, float]] = {}
        self._good_at: dict[str, float] = {}
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin; each check runs once at once, and then at its interval."""
        self._stop = threading.Event()
        for check in self.checks:
            threading.Thread(
                target=self._loop, args=(check, self._stop), name=f"check-{check.name}", daemon=True
            ).start()

    def stop(self) -> None:
        """Let the threads end after what they are at."""
        self._stop.set()

    def result(self, check: Check) -> Result:
        """The last result; a failure when there is none, or when the check has hung for more than 10 s."""
        found = self._results.get(check.name)
        if found is None:
            return Result(check.when_failed, check.first, {"error": "not checked yet"})
        result, moment = found
        age = self._monotonic() - moment
        if age > STALE_SECONDS + check.interval_seconds:
            return Result(check.when_failed, check.first, {"error": f"no result for {age:.0f} s"})
        return result

    def overall(self) -> Status:
        """How the whole is, by the last results."""
        return worst({check.name: self.result(check) for check in self.checks}, self.checks)

    def seconds_since_good(self, check: Check) -> float | None:
        """How long ago the check last did not fail; None when it never did."""
        moment = self._good_at.get(check.name)
        return None if moment is None else self._monotonic() - moment

    def run_once(self, check: Check) -> None:
        """Run `check` now and keep its result; a change is written to the log."""
        try:
            result = check.run()
        except Exception as error:
            result = Result(check.when_failed, check.first, {"error": f"{type(error).__name__}: {error}"})
        self._tell(check, result)
        now = self._monotonic()
        self._results[check.name] = result, now
        if result.status != "unhealthy":
            self._good_at[check.name] = now

    def _tell(self, check: Check, result: Result) -> None:
        before = self._results.get(check.name)
        was = "healthy" if before is None else before[0].status
        if result.status != was:
            level = logging.INFO if result.status == "healthy" else logging.WARNING
            error = result.detail.get("error", "")
            log.log(level, "health check %s: %s%s", check.name, result.status, f": {error}" if error else "")

    def _loop(self, check: Check, stop: threading.Event) -> None:
        while not stop.is_set():
            self.run_once(check)
            stop.wait(check.interval_seconds)


def worst(results: Mapping[str, Result], checks: Sequence[Check]) -> Status:
    """Unhealthy when a vital check is, degraded when any is not healthy."""
    if any(check.vital and results[check.name].status == "unhealthy" for check in checks):
        return "unhealthy"
    return "healthy" if all(result.status == "healthy" for result in results.values()) else "degraded"


def timed(ask: Callable[[], object], **facts: Any) -> Callable[[], Result]:
    """A check that is healthy when `ask` returns; its facts have `responseTimeMs`."""

    def run() -> Result:
        started = time.perf_counter()
        ask()
        return Result(
            "healthy", {**facts, "responseTimeMs": round((time.perf_counter() - started) * 1000, 2)}
        )

    return run
