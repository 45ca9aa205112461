"""What a run has measured so far: complete or not, it can be judged and shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import mean, median
from typing import Any

from load.capacity import Capacity
from load.names import EXTERNAL
from load.options import LOAD, SOAK, SPIKE, STRESS
from load.rush import Rush
from load.samples import Second, Tally, all_requests, errors
from load.watch import Memory

CALM_WINDOW_SECONDS = 3
CALM_LEAST_MS = 200.0
THIRD = 3
REFUSAL = ": 503, expected "
"""What the people note of an answer that tells them to come back."""


@dataclass(slots=True, kw_only=True)
class Results:
    """Filled in as the run goes on. `runs`: the seconds of each profile of scenarios. `violations` is None
    until the invariants were checked, `cache` when the service did not tell. `ended`: why the run ended
    early. `troubles`: profiles that could not be measured."""

    began: float
    facts: dict[str, Any]
    runs: dict[str, list[Second]] = field(default_factory=dict)
    capacities: list[Capacity] = field(default_factory=list)
    bookings_sold: int = 0
    rush: Rush | None = None
    memory: list[Memory] = field(default_factory=list)
    cache: dict[str, Any] | None = None
    violations: list[str] | None = None
    ended: str = ""
    troubles: list[str] = field(default_factory=list)

    @property
    def steady(self) -> list[Second]:
        """The seconds that latency is judged by: of the steady load, else of the soak."""
        return self.runs.get(LOAD) or self.runs.get(SOAK) or []

    def capacity(self, name: str) -> Capacity | None:
        return next((each for each in self.capacities if each.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the stress profile, in its later half: right and timely answers a second, ms, and shares."""

    users: int
    goodput: float
    p95: float
    failed: float
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """P95 (ms) before and during; how many seconds after its end all was calm again (None: not in those
    that were `watched`)."""

    before: float
    during: float
    recovered_after: int | None
    watched: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """From the first third of the soak to the last: P95 (ms), and by how many MB the memory of the web
    processes and of the worker grew; `before`: MB of both in the first third."""

    minutes: float
    p95_first: float
    p95_last: float
    web: float
    worker: float
    before: float

    @property
    def growth(self) -> float:
        """Of all memory, as a share."""
        return (self.web + self.worker) / max(1.0, self.before)


def steps(results: Results) -> list[Step]:
    """The stress profile's."""
    found = []
    for label, seconds in _by_stage(results.runs.get(STRESS, ())).items():
        later = seconds[len(seconds) // 2 :]
        if not label or not later:
            continue
        tally = all_requests(later)
        found.append(
            Step(
                users=int(label.split()[0]),
                goodput=tally.good / len(later),
                p95=tally.percentile(0.95),
                failed=tally.failed / max(1, tally.count),
                cpu=mean(second.cpu for second in later),
            )
        )
    return found


def spike(results: Results) -> Spike | None:
    """None until users have come and gone."""
    stages = _by_stage(results.runs.get(SPIKE, ()))
    if "after" not in stages:
        return None
    before, during = (own_requests(stages[name]).percentile(0.95) for name in ("before", "spike"))
    calm = max(2 * before, CALM_LEAST_MS)
    after = stages["after"]
    recovered = None
    for second in range(len(after) - CALM_WINDOW_SECONDS + 1):
        window = after[second : second + CALM_WINDOW_SECONDS]
        if all(own_requests([each]).percentile(0.95) <= calm for each in window):
            recovered = second
            break
    return Spike(before=before, during=during, recovered_after=recovered, watched=len(after))


def drift(results: Results) -> Drift | None:
    """None without a soak of three seconds and three looks at memory."""
    seconds = results.runs.get(SOAK, [])
    memory = [each for each in results.memory if seconds and seconds[0].at <= each.at <= seconds[-1].at]
    if min(len(seconds), len(memory)) < THIRD:
        return None
    part, looks = len(seconds) // THIRD, len(memory) // THIRD
    first, last = memory[:looks], memory[-looks:]
    web, worker = (median(each.web for each in first), median(each.worker for each in first))
    return Drift(
        minutes=(seconds[-1].at - seconds[0].at) / 60,
        p95_first=own_requests(seconds[:part]).percentile(0.95),
        p95_last=own_requests(seconds[-part:]).percentile(0.95),
        web=median(each.web for each in last) - web,
        worker=median(each.worker for each in last) - worker,
        before=web + worker,
    )


def wrong(seconds: Iterable[Second]) -> Counter[str]:
    """What was neither right nor such a refusal."""
    return Counter({text: count for text, count in errors(seconds).items() if REFUSAL not in text})


def own_requests(seconds: Sequence[Second]) -> Tally:
    """All requests but those that the external payment module answers."""
    return all_requests(seconds, leave_out=EXTERNAL)


def _by_stage(seconds: Sequence[Second]) -> dict[str, list[Second]]:
    stages: dict[str, list[Second]] = {}
    for second in seconds:
        stages.setdefault(second.stage, []).append(second)
    return stages
