"""`make load`: start the whole product, bring the people, judge what comes out, write the report.

PROFILE=smoke,capacity,load,stress,spike,rush,soak or all; STORE=sqlite|mariadb; DURATION, USERS, THINK,
BOOKINGS. docs/load.md says more.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from benchmarks import machine
from benchmarks.load import LoadFailed
from load import report
from load.destination import FillFailed
from load.findings import Results
from load.options import OptionError, Options, read_options
from load.profiles import acknowledged, expected_seconds, run_profile
from load.screen import Screen
from load.swarm import SwarmFailed
from load.targets import judge
from load.venue import ServerEnded, Venue, open_venue
from load.watch import watched_memory
from tests.servers.process import ProcessFailed

START_SECONDS, END_SECONDS = 12.0, 5.0
STOPPED = "stopped by hand"


def main() -> int:
    """0; 1 when a target was missed or a server ended, 2 when it cannot start, 130 when it was stopped."""
    try:
        options = read_options(os.environ)
    except OptionError as error:
        sys.stderr.write(f"make load: {error}\n")
        return 2
    signal.signal(signal.SIGTERM, _stop)
    screen = Screen()
    results = Results(began=time.time(), facts=facts(options))
    measure(options, results, screen)
    path = report.write(results)
    return conclude(results, screen, path)


def measure(options: Options, results: Results, screen: Screen) -> None:
    """All profiles against one product; what ends them early is noted in the results."""
    screen.say(f"starting gateway, service, worker and payment sandbox on {options.store} ...")
    with _noted(results), open_venue(options.store, options.rush) as venue:
        with _noted(results), watched_memory(venue.stack) as results.memory:
            for number, profile in enumerate(options.profiles, 1):
                left = sum(expected_seconds(name, options) for name in options.profiles[number - 1 :])
                screen.profile(profile, number, len(options.profiles), left + END_SECONDS)
                _run(profile, venue, options, results, screen)
        _look_back(venue, results, screen)


def _run(profile: str, venue: Venue, options: Options, results: Results, screen: Screen) -> None:
    """A profile that cannot be measured does not keep the next one from it; a server that ended does."""
    try:
        run_profile(profile, venue, options, results, screen)
    except (LoadFailed, SwarmFailed) as error:
        venue.look_after()
        results.troubles.append(f"{profile}: {error}")
        screen.say(f"  {profile} failed: {error}")


def _look_back(venue: Venue, results: Results, screen: Screen) -> None:
    """The cache's figures, and the invariants: also after a run that ended early."""
    screen.say("checking the books ...")
    results.cache = venue.cache_stats()
    try:
        results.violations = venue.violations(acknowledged(results))
    except Exception as error:
        if not results.ended:
            raise
        # The store may be what ended: the report of the rest comes first.
        screen.say(f"the books cannot be read: {error}")


def conclude(results: Results, screen: Screen, path: Path) -> int:
    """Print the judgement; the exit status."""
    verdicts = judge(results)
    width = max(len(each.name) for each in verdicts)
    for each in verdicts:
        sys.stdout.write(f"{each.name:<{width}}  {each.word:<12}  {each.found}  (aim: {each.aim})\n")
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    sys.stdout.write(f"report: {shown} ({screen.seconds:.0f} s)\n")
    sys.stdout.flush()
    if results.ended:
        sys.stderr.write(f"ended early: {results.ended}\n")
        return 130 if results.ended == STOPPED else 1
    return 1 if results.troubles or any(each.met is False for each in verdicts) else 0


def facts(options: Options) -> dict[str, Any]:
    """What the figures were measured on, with and how."""
    return {
        "startedAt": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "store": options.store,
        "profiles": options.profiles,
        "webWorkers": max(2, len(os.sched_getaffinity(0))),
        "machine": machine.machine_facts(),
        "versions": machine.versions(),
    }


@contextmanager
def _noted(results: Results) -> Iterator[None]:
    """What ends the run early is written down, so that a report of the rest can follow."""
    try:
        yield
    except KeyboardInterrupt:
        results.ended = STOPPED
    except (ServerEnded, FillFailed, ProcessFailed, AssertionError) as error:
        results.ended = str(error)


def _stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
