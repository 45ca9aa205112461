"""A breaker's decisions: who is let through, and what an outcome changes. It calls nobody's function.

An outcome is reported with the permit under which the call was let through; when that is no longer the
present one, the outcome changes nothing. So a call that began before the trip can neither close the circuit
nor count against what came after.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from common.clock import Clock
from common.resilience.phases import Closed, Permit, Phases
from common.resilience.refusals import Refused
from common.resilience.states import (
    MODES,
    BreakerSpec,
    CallRecorded,
    LastError,
    Mode,
    Outcome,
    Status,
    Verdict,
)
from common.resilience.trials import Lease, Places

log = logging.getLogger(__name__)

TRIAL_RETRY_SECONDS = 1.0
ERROR_TEXT_LENGTH = 300


class Circuit:
    """Safe for threads. The lock is held while the state is read or changed, never while a call runs, and not
    at all on the way into a closed breaker: `passing` is everybody's permit then, and None otherwise.
    """

    def __init__(
        self,
        spec: BreakerSpec,
        *,
        monotonic: Callable[[], float],
        clock: Clock,
        random: Callable[[], float],
        places: Places | None,
    ) -> None:
        self.spec = spec
        self._monotonic, self._clock, self._places = monotonic, clock, places
        self._slow, self._timeout = spec.slow_seconds, spec.timeout_seconds
        self._minimum = spec.minimum_failures
        self._lock = threading.Lock()
        self._phases = Phases(spec, monotonic(), clock, random)
        self.bulletin = self._phases.bulletin
        # Calls outside the windows: trials, and those that no window counts.
        self._others = {"success": 0, "failure": 0, "ignored": 0, "refused": 0}
        self.passing = self._phases.passing

    # --- the way in ----------------------------------------------------------------------------------

    def admit(self) -> tuple[Permit | None, float]:
        """A permit for one call; or None, and the seconds after which it is worth asking again."""
        now = self._monotonic()
        with self._lock:
            lost = self._phases.trials.lost(now)
            permit, wait = self._decide(now)
            self.passing = self._phases.passing
        if lost is not None:
            lost.free()
        if isinstance(permit, Lease) and not self._has_place(permit):
            permit, wait = None, TRIAL_RETRY_SECONDS
        if permit is None:
            with self._lock:
                self._others["refused"] += 1
            if self.bulletin.call_listeners:
                self.bulletin.tell_call(CallRecorded(self.spec.name, "refused"))
        self._afterwards()
        return permit, wait

    def _decide(self, now: float) -> tuple[Permit | None, float]:
        phases = self._phases
        phases.end_mode_in_time(now)
        if phases.mode == "forced_open":
            return None, self._forced_seconds()
        if phases.mode == "disabled" or phases.state == "closed":
            return phases.permit, 0.0
        if phases.state == "open":
            if now < phases.until:
                return None, phases.until - now
            phases.half_open()
        if phases.trials.exhausted(now):
            phases.open(now, "no trial was reported back in time", own_evidence=True)
            return None, phases.until - now
        return phases.trials.lease(now, self.spec.lease_seconds), TRIAL_RETRY_SECONDS

    def _forced_seconds(self) -> float:
        """How long a caller should stay away from what an operator keeps open."""
        longest, until = self.spec.waits.longest, self._phases.mode_until
        return longest if until is None else min(longest, (until - self._clock()).total_seconds())

    def _has_place(self, lease: Lease) -> bool:
        """Take one of the places that all processes share; without one the lease is given back."""
        if self._places is None:
            return True
        try:
            release = self._places.take()
        except Exception:
            log.exception("places for trials of %s cannot be had; this process goes on alone", self.spec.name)
            return True
        if release is not None:
            lease.hold(release)
            return True
        with self._lock:
            self._phases.trials.give_back(lease)
        return False

    # --- the way out ---------------------------------------------------------------------------------

    def settle(self, permit: Permit, started: float, error: BaseException | None) -> None:
        """Report how the call ended that was let through with `permit` at `started`."""
        now = self._monotonic()
        seconds = now - started
        failed = seconds >= self._timeout
        slow = seconds >= self._slow
        outcome: Outcome = "failure" if failed else "success"
        if error is not None or failed:
            outcome = self._judged(permit, now, error, seconds)
            failed = outcome == "failure"
        if isinstance(permit, Lease):
            self._settle_trial(permit, now, outcome)
        elif outcome == "ignored":
            with self._lock:
                self._others["ignored"] += 1
        elif permit.window.record(now, failed, slow) >= self._minimum:
            self._open_if_due(permit, now)
        if self.bulletin.call_listeners:
            trial = isinstance(permit, Lease)
            self.bulletin.tell_call(CallRecorded(self.spec.name, outcome, seconds, slow, trial))

    def judge(self, error: BaseException) -> Verdict:
        """What `error` says about the dependency. Not being asked says nothing, nor does an order to end."""
        if isinstance(error, Refused) or not isinstance(error, Exception):
            return Verdict("ignored")
        try:
            found = self.spec.classify(error)
        except Exception:
            log.exception("the classification of breaker %s failed", self.spec.name)
            found = "failure"
        verdict = Verdict(found) if isinstance(found, str) else found
        asked = getattr(error, "retry_after_seconds", None)
        if verdict.retry_after_seconds is None and isinstance(asked, int | float):
            return Verdict(verdict.outcome, float(asked))
        return verdict

    def _judged(self, permit: Permit, now: float, error: BaseException | None, seconds: float) -> Outcome:
        """The outcome of a call that raised, or that took longer than its time-out allows."""
        outlasted = seconds >= self._timeout
        verdict = Verdict("success") if error is None else self.judge(error)
        if verdict.outcome == "ignored" or not (outlasted or verdict.outcome == "failure"):
            return verdict.outcome
        words = f"{type(error).__name__}: {error}" if error is not None else "answered after its time-out"
        text = f"{' '.join(words.split())[:ERROR_TEXT_LENGTH]} ({seconds:.2f} s)"
        asked = verdict.retry_after_seconds
        with self._lock:
            phases = self._phases
            phases.last_error = LastError(self._clock(), text)
            present = permit is phases.permit or permit is phases.trials.current
            # Any pause may be asked for; the cap is applied when the breaker opens. (NaN compares false.)
            if asked is not None and present and now + asked > phases.permit.not_before:
                phases.permit.not_before = now + asked
        return "failure"

    def _settle_trial(self, lease: Lease, now: float, outcome: Outcome) -> None:
        lease.free()
        with self._lock:
            self._others[outcome] += 1
            phases = self._phases
            if phases.trials.current is not lease:
                return  # too late: the lease has run out, or somebody else has decided meanwhile
            if outcome == "ignored":
                phases.trials.give_back(lease)
            elif outcome == "failure":
                phases.open(now, "a trial failed", own_evidence=True)
            elif phases.trials.succeeded():
                phases.close(now, "the trials succeeded")
            self.passing = phases.passing
        self._afterwards()

    def _open_if_due(self, permit: Closed, now: float) -> None:
        cause = self.spec.reason_to_open(permit.window.counts(now))
        if cause is None:
            return
        with self._lock:
            if self.passing is not permit:
                return
            self._phases.open(now, cause, own_evidence=True)
            self.passing = self._phases.passing
        self._afterwards()

    def _afterwards(self) -> None:
        """What a change leaves to be done outside the lock."""
        while self._phases.abandoned:
            try:
                self._phases.abandoned.popleft().free()
            except IndexError:
                break  # another thread was quicker
        self.bulletin.tell()

    # --- from outside --------------------------------------------------------------------------------

    def open_with_others(self, cause: str) -> None:
        """Open a closed, automatic breaker because other processes have opened theirs."""
        now = self._monotonic()
        with self._lock:
            if self.passing is None:
                return
            self._phases.open(now, cause, own_evidence=False)
            self.passing = self._phases.passing
        self._afterwards()

    def close_with_others(self, cause: str) -> None:
        """Close a breaker that opened because others had, and that nobody has called since its wait ended."""
        now = self._monotonic()
        with self._lock:
            if not self._phases.is_forgotten(now):
                return
            self._phases.close(now, cause)
            self.passing = self._phases.passing
        self._afterwards()

    def try_now(self) -> None:
        """Somebody has heard from the dependency: an open breaker lets the next call try."""
        with self._lock:
            self._phases.wait_no_longer(self._monotonic())

    def reset(self, cause: str) -> None:
        """Close at once, whatever the state; the mode stays as it is."""
        with self._lock:
            self._phases.last_error = None
            self._phases.close(self._monotonic(), cause)
            self.passing = self._phases.passing
        self._afterwards()

    def set_mode(self, mode: Mode, reason: str, until: datetime | None) -> None:
        """Raises ValueError for an unknown mode, or an `until` without a zone."""
        if mode not in MODES:
            raise ValueError(f"a breaker has no mode {mode!r}")
        if until is not None and until.tzinfo is None:
            raise ValueError("until needs a time zone")
        with self._lock:
            self._phases.set_mode(self._monotonic(), mode, reason, until)
            self.passing = self._phases.passing
        self._afterwards()

    def status(self) -> Status:
        """How it stands now. A lost trial gives its place back to the others even if nobody calls here."""
        now = self._monotonic()
        with self._lock:
            lost = self._phases.trials.lost(now)
            self._phases.end_mode_in_time(now)
            self.passing = self._phases.passing
            status = self._phases.status(now)
        if lost is not None:
            lost.free()
        self._afterwards()
        return status

    def open_seconds(self) -> float:
        """Seconds until a call is let through again; 0 when that is now."""
        now = self._monotonic()
        with self._lock:
            if self._phases.mode == "forced_open":
                return max(0.0, self._forced_seconds())
            return max(0.0, self._phases.until - now) if self._phases.state == "open" else 0.0

    def outcomes(self) -> Mapping[str, int]:
        """Calls since the process began, by outcome; numbers that never go down."""
        with self._lock:
            totals, others = self._phases.totals(), dict(self._others)
        others["success"] += totals.successes
        others["failure"] += totals.failures
        return others
