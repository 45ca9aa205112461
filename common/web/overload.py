"""Refuses what has waited too long, so that under overload the rest is still answered in good time.

The queue is judged by how long it makes a request wait, not by its length (Nichols and Jacobson, "Controlling
Queue Delay", ACM Queue 2012): a burst is let through, a queue that does not go away is cut short. Without
this every request waits until its client has given up, and the work is done for nobody.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import get_ident
from typing import Literal

from flask import Response

from common.web.problems import problem, problem_response

Urgency = Literal["never refused", "refused last", "usual"]

SHORT_SECONDS = 0.05
"""A wait that tells of no queue."""

STANDING_SECONDS = 0.5
"""A queue stands when no wait was short for so long."""

PATIENT_SECONDS = 1.0
"""How long a request may have waited in a burst."""

HURRIED_SECONDS = 0.25
"""How long it may have waited when the queue stands: refusals are to be fast too."""

LAST_SECONDS = 5.0
"""How long one that is refused last may have waited in any case."""

LONGEST_PAUSE_SECONDS = 30
"""Nobody is asked to come back later than this."""

FIRST_INTERVAL_SECONDS = 0.005
"""What a turn takes, until it is known."""

WINDOW_SECONDS = 0.5
"""For so long it is counted what is answered out of a queue."""


class Gate:
    """Decides for one process. Threads need no lock: at worst one of them sees the other's moment late.

    The wait is measured by this process's own clock. A time stamp of another machine, whose clock may be
    wrong, refuses nobody.

    Those who are refused come back, and told the same they would come back together, to be refused again. So
    each is told a turn of its own, one after another as fast as requests are being answered.
    """

    def __init__(self, now: float) -> None:
        self._short_at = self._turn_at = now
        self._interval = FIRST_INTERVAL_SECONDS
        self._counted_from = self._seen_at = now
        self._answered = 0
        # of each thread: whether it was last given a request to answer, or one to refuse
        self._answers: dict[int, bool] = {}

    def admits(self, waited: float, now: float, urgency: Callable[[], Urgency]) -> bool:
        """Whether a request that waited `waited` seconds is to be answered at `now` (monotonic seconds)."""
        if waited < SHORT_SECONDS:
            self._short_at = now
            self._answers[get_ident()] = True
            return True
        stands = now - self._short_at > STANDING_SECONDS
        most = HURRIED_SECONDS if stands else PATIENT_SECONDS
        admitted = waited <= most or _may_wait(urgency(), waited) or self._idles(waited)
        self._answers[get_ident()] = admitted
        self._count(waited, now, admitted=admitted)
        return admitted

    def pause(self, now: float) -> int:
        """Whole seconds from `now` after which the one that is refused now is to come back, from 1 to 30."""
        turn_at = max(self._turn_at, now) + self._interval
        if turn_at > now + LONGEST_PAUSE_SECONDS:
            turn_at = now + self._interval  # the turns are shared from the first one on
        self._turn_at = turn_at
        return max(1, math.ceil(turn_at - now))

    def _idles(self, waited: float) -> bool:
        """Whether more than half of the threads only refuse: where the machine is slow, every request
        has waited too long when it is looked at, and refusing them all would answer none."""
        here, threads = get_ident(), self._answers.copy()
        busy = sum(answers for thread, answers in threads.items() if thread != here)
        return busy < len(threads) // 2 and waited <= LAST_SECONDS

    def _count(self, waited: float, now: float, *, admitted: bool) -> None:
        """How long a turn takes: counted while there is a queue, as idle time tells nothing."""
        was_empty = self._short_at > self._counted_from or now - self._seen_at > waited
        self._seen_at = now
        if was_empty:
            self._counted_from, self._answered = now, 0
        self._answered += admitted
        if self._answered and now - self._counted_from >= WINDOW_SECONDS:
            self._interval = (now - self._counted_from) / self._answered
            self._counted_from, self._answered = now, 0


def _may_wait(urgency: Urgency, waited: float) -> bool:
    return urgency == "never refused" or (urgency == "refused last" and waited <= LAST_SECONDS)


def refusal(pause: int) -> Response:
    """503 OVERLOADED, and in how many seconds to come back."""
    return problem_response(problem("OVERLOADED", headers={"Retry-After": str(pause)}))
