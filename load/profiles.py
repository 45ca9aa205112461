"""Runs the profiles one after another and keeps what they find, also when they are stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

from load.buyers import COME_BACK, SOLD, SOLD_OUT, Crowd
from load.capacity import measure_bookings, measure_reads
from load.findings import Results
from load.names import CONFIRMED_BY_WEBHOOK, CONFIRMED_ON_RETURN
from load.options import CAPACITY, RUSH, STRESS, Options
from load.plan import Plan
from load.plots import clock
from load.rush import measure_rush
from load.samples import by_name
from load.screen import Screen
from load.stages import THINK, stages
from load.swarm import run_swarm
from load.venue import Venue

CAPACITY_SECONDS = 6.0
WARM_UP_SECONDS = 2.0
RUSH_SECONDS = 45.0
CATCH_UP_SECONDS = 30.0


def expected_seconds(profile: str, options: Options) -> float:
    """How long a profile takes, roughly."""
    if profile == CAPACITY:
        return 3 * CAPACITY_SECONDS + WARM_UP_SECONDS
    if profile == RUSH:
        return RUSH_SECONDS
    return sum(stage.seconds for stage in stages(profile, options)) + 3


def run_profile(profile: str, venue: Venue, options: Options, results: Results, screen: Screen) -> None:
    """Raises LoadFailed, SwarmFailed, ServerEnded; what was found until then is in `results`."""
    venue.look_after()
    special: dict[str, Callable[[], None]] = {
        CAPACITY: lambda: _capacity(venue, results, screen),
        RUSH: lambda: _rush(venue, results, screen),
    }
    special.get(profile, lambda: _scenarios(profile, venue, options, results, screen))()
    venue.look_after()


def acknowledged(results: Results) -> int:
    """Bookings of which somebody was told that they are confirmed."""
    journeys = [by_name(seconds, flows=True) for seconds in results.runs.values()]
    confirmed = sum(
        found[name].count - found[name].failed
        for found in journeys
        for name in (CONFIRMED_BY_WEBHOOK, CONFIRMED_ON_RETURN)
        if name in found
    )
    return confirmed + results.bookings_sold


def _scenarios(profile: str, venue: Venue, options: Options, results: Results, screen: Screen) -> None:
    plan = Plan(
        gateway=venue.stack.gateway_url,
        samples=str(venue.folder / f"{profile}.jsonl"),
        tokens=venue.stack.tokens(),
        stages=stages(profile, options),
        until_knee=profile == STRESS,
        think=options.think * THINK.get(profile, 1.0),
        words=venue.sells.words,
        rush_ticket=str(venue.sells.rush_ticket),
    )
    _let_the_worker_catch_up(venue, screen)
    seen = results.runs[profile] = []
    with closing(run_swarm(plan, venue.folder)) as seconds:
        for second in seconds:
            seen.append(second)
            screen.second(profile, second, len(seen))
            venue.look_after()


def _let_the_worker_catch_up(venue: Venue, screen: Screen) -> None:
    """What one profile has left to do is not the next one's load; for a while, as it may never end."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    if behind := venue.backlog():
        screen.say(f"  the worker has {behind:,} tasks left from before: waiting")
    while venue.backlog() and time.monotonic() < deadline:
        venue.look_after()
        time.sleep(0.5)


def _capacity(venue: Venue, results: Results, screen: Screen) -> None:
    measure_reads(venue, gateway=False, seconds=WARM_UP_SECONDS)
    for gateway in (False, True):
        found = measure_reads(venue, gateway=gateway, seconds=CAPACITY_SECONDS)
        results.capacities.append(found)
        screen.say(f"  {found.name}: {found.per_second:,.0f} {found.unit}")
    found, sold = measure_bookings(venue, CAPACITY_SECONDS)
    results.capacities.append(found)
    results.bookings_sold += sold
    screen.say(f"  {found.name}: {found.per_second:,.0f} {found.unit}")


def _rush(venue: Venue, results: Results, screen: Screen) -> None:
    def tell(second: int, crowd: Crowd) -> None:
        venue.look_after()
        done = len(crowd.buyers)
        last = crowd.answers[-1] if crowd.answers else {}
        now = ", ".join(f"{last.get(kind, 0):,} {kind}" for kind in (SOLD, SOLD_OUT, COME_BACK))
        screen.progress(f"  {clock(second)} {done:,} have their answer · this second {now}", second)

    found = results.rush = measure_rush(venue, tell)
    screen.say(
        f"  {found.sold:,} of {found.places:,} sold in {found.selling_seconds:.1f} s, {found.sold_out:,} "
        f"told that it is sold out; {found.oversold} oversold, {found.twice} twice, {found.lost} lost"
    )
