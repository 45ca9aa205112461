"""Results made up for tests, as a run would have left them."""

from __future__ import annotations

from typing import Any

from benchmarks.load import Latency
from load.buyers import COME_BACK, SOLD, SOLD_OUT
from load.capacity import READS_AT_SERVICE, Capacity
from load.findings import Results
from load.rush import Rush, Waiting
from load.samples import Second, Tally
from load.watch import Memory

BEGAN = 1_000_000.0
FACTS = {
    "startedAt": "2030-01-02 03:04 UTC",
    "store": "SQLite",
    "webWorkers": 2,
    "machine": {"cores": 2, "processor": "Some <processor>"},
}


def tally(*milliseconds: float, failed: int = 0) -> Tally:
    """Answers, the first `failed` of them wrong."""
    made = Tally()
    for number, each in enumerate(milliseconds):
        made.add(each, failed=number < failed)
    return made


def seconds(
    count: int, milliseconds: float, *, stage: str = "load", users: int = 10, **more: Any
) -> list[Second]:
    """Alike, each with ten answers."""
    return [
        Second(
            at=BEGAN + number,
            users=users,
            stage=stage,
            requests={"ticket": tally(*[milliseconds] * 10)},
            **more,
        )
        for number in range(count)
    ]


def results(**more: Any) -> Results:
    return Results(began=BEGAN, facts=FACTS, **more)


def capacity(per_second: float) -> Capacity:
    return Capacity(
        name=READS_AT_SERVICE, unit="requests/s", per_second=per_second, latency=Latency(1.0, 2.0, 3.0)
    )


def rush(**more: Any) -> Rush:
    """A perfect one, but for what is told."""
    perfect: dict[str, Any] = {
        "buyers": 10_200, "places": 10_000, "sold": 10_000, "sold_out": 200, "refused": 0, "gave_up": 0,
        "said": "", "requests": 30_600, "come_back": 20_400, "no_answer": 0, "asked_median": 3,
        "asked_most": 7, "waiting": Waiting(p50=8.0, p95=18.0, p99=19.0, longest=20.0), "seconds": 20.5,
        "selling_seconds": 20.0, "oversold": 0, "twice": 0, "lost": 0, "untold": 0, "cpu": 0.2,
        "answers": ({COME_BACK: 10_000, SOLD: 200}, {SOLD: 500}, {}, {SOLD: 500, SOLD_OUT: 200}),
    }  # fmt: skip
    return Rush(**{**perfect, **more})


def memory(*web: float) -> list[Memory]:
    """One look a second."""
    return [Memory(at=BEGAN + number, web=each, worker=50.0) for number, each in enumerate(web)]


def cache(hits: int, misses: int) -> dict[str, Any]:
    return {"regions": {"tickets": {"hits": hits, "misses": 0}, "bookings": {"hits": 0, "misses": misses}}}
