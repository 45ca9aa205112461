"""A small run for real: people come, the books are right, and what ends it early is told."""

from __future__ import annotations

from pathlib import Path

import orjson

from load import report
from load.__main__ import STOPPED, measure
from load.findings import Results
from load.names import ADMISSIONS, CONFIRMED_BY_WEBHOOK, CONFIRMED_ON_RETURN
from load.options import RUSH, SMOKE, Options
from load.profiles import run_profile
from load.samples import Second, by_name, errors
from load.screen import Screen
from load.venue import ServerEnded, Venue, open_venue
from tests.load import measured

SMALL = Options(profiles=(SMOKE, RUSH), store="SQLite", seconds=12, users=12, think=0.3, rush=60)


def test_people_buy_and_go_in_and_the_report_says_so(tmp_path: Path) -> None:
    results = measured.results()
    measure(SMALL, results, Screen())
    assert results.ended == ""
    assert results.troubles == []
    assert results.violations == []
    run = results.runs[SMOKE]
    assert errors(run) == {}
    asked = by_name(run)
    expected = {
        "search",
        "ticket",
        "availability",
        "quote",
        "hold",
        "pay link",
        "confirm",
        "admissions",
        "redeem",
    }
    assert expected | {"staff: bookings"} <= set(asked)
    done = by_name(run, flows=True)
    assert ADMISSIONS in done
    assert {CONFIRMED_BY_WEBHOOK, CONFIRMED_ON_RETURN} & set(done)
    assert results.rush is not None
    rush = results.rush
    assert rush.is_right
    assert (rush.buyers, rush.sold, rush.sold_out) == (62, 60, 2)
    assert 0 < rush.waiting.p50 <= rush.waiting.longest <= rush.seconds
    kept = report.write(results, tmp_path)
    assert "<h2>Smoke</h2>" in kept.read_text()
    assert orjson.loads((tmp_path / "latest.json").read_bytes())["rush"]["sold"] == 60


class Stopping(Screen):
    """Somebody presses Ctrl-C while people are at it."""

    def second(self, profile: str, second: Second, number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt


def test_a_run_that_is_stopped_keeps_what_it_has_and_checks_the_books() -> None:
    results = measured.results()
    measure(SMALL, results, Stopping())
    assert results.ended == STOPPED
    assert len(results.runs[SMOKE]) == 3
    assert results.rush is None
    assert results.violations == []


class Killing(Screen):
    """The worker dies while people are at it."""

    def __init__(self, venue: Venue) -> None:
        super().__init__()
        self._venue = venue

    def second(self, profile: str, second: Second, number: int) -> None:
        if number == 2:
            self._venue.stack.worker.kill()


def test_a_server_that_ends_ends_the_run_with_its_name() -> None:
    results: Results = measured.results()
    with open_venue(SMALL.store, 1) as venue:
        try:
            run_profile(SMOKE, venue, SMALL, results, Killing(venue))
        except ServerEnded as error:
            told = str(error)
        else:
            told = "the run went on"
    assert told.startswith("ticketing-worker ended with -9")
    assert len(results.runs[SMOKE]) == 2
