"""Ten thousand bookings at once: what became of them, as the buyers and as the store have it."""

from __future__ import annotations

import math
import resource
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.load import LoadFailed
from load.buyers import COME_BACK, GAVE_UP, NO_ANSWER, REFUSED, SOLD, SOLD_OUT, Buyer, Crowd, Wanted, send_all
from load.stored import Stored, standing
from load.venue import Venue

TOO_MANY_SHARE = 0.02
"""More come than there are places: somebody has to hear that it is sold out."""

OTHER_FILES = 200
"""What the process has open beside the buyers' connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Seconds from the beginning of all until a buyer had the answer."""

    p50: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """What became of many buyers at once.

    `places` is how many could be sold. Of the buyers: `sold`, `sold_out`, `refused` (another answer; `said`
    is the first), `gave_up`. Of the requests: `requests`, `come_back` (503 and 429), `no_answer` (connections
    lost). `asked_most`: the requests of the most patient, `asked_median` of the usual one. `selling_seconds`:
    until the last sale. By the store: `oversold` people beyond the places, buyers who have it `twice`, sales
    that are `lost`, and `untold`: bookings of which nobody heard. `cpu`: share of one core that the buyers
    themselves took.
    """

    buyers: int
    places: int
    sold: int
    sold_out: int
    refused: int
    gave_up: int
    said: str
    requests: int
    come_back: int
    no_answer: int
    asked_median: int
    asked_most: int
    waiting: Waiting
    seconds: float
    selling_seconds: float
    oversold: int
    twice: int
    lost: int
    untold: int
    cpu: float
    answers: tuple[dict[str, int], ...]

    @property
    def per_second(self) -> float:
        """Sales, until the last one."""
        return self.sold / self.selling_seconds if self.selling_seconds else 0.0

    @property
    def is_right(self) -> bool:
        """Every place sold, everybody else told so; nothing oversold, twice or lost."""
        all_served = self.sold == min(self.places, self.buyers) and self.sold + self.sold_out == self.buyers
        return all_served and not (self.oversold or self.twice or self.lost or self.untold)


def how_many_come(places: int) -> int:
    return places + max(1, math.ceil(places * TOO_MANY_SHARE))


def measure_rush(venue: Venue, tell: Callable[[int, Crowd], None]) -> Rush:
    """All at once for one slot, through the gateway. Raises LoadFailed when so many cannot be played here."""
    sells = venue.sells
    wanted = Wanted(
        port=venue.stack.gateway_port,
        slot=sells.rush_slot,
        unit=sells.rush_unit,
        buyers=how_many_come(sells.rush_places),
        run=secrets.token_hex(4),
    )
    with _files_for(wanted.buyers):
        crowd = send_all(wanted, tell)
    stored = standing(venue.database_url, wanted.slot)
    return what_became(crowd, stored, wanted.buyers, sells.rush_places)


def what_became(crowd: Crowd, stored: Stored, buyers: int, places: int) -> Rush:
    """The figures."""
    of = {kind: [each for each in crowd.buyers if each.outcome == kind] for kind in (SOLD, SOLD_OUT, REFUSED)}
    answers: Counter[str] = Counter()
    for second in crowd.answers:
        answers.update(second)
    asked = sorted(each.asked for each in crowd.buyers)
    told = {each.booking for each in of[SOLD]}
    kept = {key for key, _, _ in stored}
    owners = Counter(email for _, email, _ in stored)
    return Rush(
        buyers=buyers,
        places=places,
        sold=len(of[SOLD]),
        sold_out=len(of[SOLD_OUT]),
        refused=len(of[REFUSED]),
        gave_up=sum(each.outcome == GAVE_UP for each in crowd.buyers),
        said=next((each.said for each in of[REFUSED]), ""),
        requests=sum(asked),
        come_back=answers[COME_BACK],
        no_answer=answers[NO_ANSWER],
        asked_median=asked[len(asked) // 2] if asked else 0,
        asked_most=max(asked, default=0),
        waiting=_waiting(crowd.buyers),
        seconds=crowd.seconds,
        selling_seconds=max((each.waited for each in of[SOLD]), default=0.0),
        oversold=max(0, sum(people for _, _, people in stored) - places),
        twice=sum(count > 1 for count in owners.values()) + len(of[SOLD]) - len(told),
        lost=len(told - kept),
        untold=len(kept - told),
        cpu=crowd.cpu_seconds / crowd.seconds if crowd.seconds else 0.0,
        answers=tuple(crowd.answers),
    )


def _waiting(buyers: Sequence[Buyer]) -> Waiting:
    times = sorted(each.waited for each in buyers) or [0.0]

    def at(share: float) -> float:
        return times[max(0, math.ceil(len(times) * share) - 1)]

    return Waiting(p50=at(0.50), p95=at(0.95), p99=at(0.99), longest=times[-1])


@contextmanager
def _files_for(buyers: int) -> Iterator[None]:
    """Each buyer has a connection. Raises LoadFailed where the system allows too few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = buyers + OTHER_FILES
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise LoadFailed(f"{buyers:,} connections need {needed:,} open files; ulimit -Hn allows {hard:,}")
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
