"""Refuses what has waited too long, so that under overload the rest is still answered in good time.

The queue is judged by how long it makes a request wait, not by its length (Nichols and Jacobson, "Controlling
Queue Delay", ACM Queue 2012): a burst is let through, a queue that does not go away is cut short. Without
this every request waits until its client has given up, and the work is done for nobody.
"""

from __future__ import annotations

from collections.abc import Callable
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

RETRY_AFTER_SECONDS = 1


class Gate:
    """Decides for one process. Threads need no lock: at worst one of them sees the other's moment late.

    The wait is measured by this process's own clock. A time stamp of another machine, whose clock may be
    wrong, refuses nobody.
    """

    def __init__(self, now: float) -> None:
        self._short_at = now

    def admits(self, waited: float, now: float, urgency: Callable[[], Urgency]) -> bool:
        """Whether a request that waited `waited` seconds is to be answered at `now` (monotonic seconds)."""
        if waited < SHORT_SECONDS:
            self._short_at = now
            return True
        stands = now - self._short_at > STANDING_SECONDS
        if waited <= (HURRIED_SECONDS if stands else PATIENT_SECONDS):
            return True
        return _may_wait(urgency(), waited)


def _may_wait(urgency: Urgency, waited: float) -> bool:
    return urgency == "never refused" or (urgency == "refused last" and waited <= LAST_SECONDS)


def refusal() -> Response:
    """503 OVERLOADED."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return problem_response(problem("OVERLOADED", headers=headers))
