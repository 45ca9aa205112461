"""Opening hours: checked, put plainly, and evaluated by the clocks of the place."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_service.domain.geo import Point
from admin_service.domain.opening_hours import (
    MAX_LENGTH,
    is_country,
    lies_in,
    normalised,
    state_at,
    zone_at,
)
from tests.servers.process import ROOT

AMSTERDAM = Point(52.37, 4.89)


def at(
    hours: str, moment: str, zone: str = "Europe/Amsterdam", country: str | None = "NL"
) -> tuple[str, str]:
    """The state, and the next change as it is written."""
    found = state_at(normalised(hours), zone, country, AMSTERDAM, datetime.fromisoformat(moment))
    change = found.next_change
    return found.state, "" if change is None else change.strftime("%Y-%m-%dT%H:%MZ")


@pytest.mark.parametrize(
    "hours, moment, state, change",
    [
        ("Mo-Fr 09:00-17:00", "2026-07-01T07:00Z", "open", "2026-07-01T15:00Z"),  # 09:00 there
        ("Mo-Fr 09:00-17:00", "2026-07-01T06:59Z", "closed", "2026-07-01T07:00Z"),
        ("Mo-Fr 09:00-17:00", "2026-07-03T15:00Z", "closed", "2026-07-06T07:00Z"),
        ("Mo-Fr 22:00-02:00", "2026-07-01T23:30Z", "open", "2026-07-02T00:00Z"),
        ("24/7", "2026-07-01T07:00Z", "open", ""),
        ("off", "2026-07-01T07:00Z", "closed", ""),
        ("Mo-Su 10:00-16:00; PH off", "2026-12-25T11:00Z", "closed", "2026-12-27T09:00Z"),
        ("Sep-Mar 10:00-16:00", "2026-07-01T07:00Z", "closed", "2026-09-01T08:00Z"),
        ("2020 Mo 10:00-12:00", "2026-07-01T07:00Z", "closed", ""),
        # the clocks go forward on 29 March 2026, and back on 25 October
        ("Mo-Su 09:00-17:00", "2026-03-28T18:00Z", "closed", "2026-03-29T07:00Z"),
        ("Mo-Su 09:00-17:00", "2026-10-24T18:00Z", "closed", "2026-10-25T08:00Z"),
    ],
)
def test_open_now_and_the_next_change(hours: str, moment: str, state: str, change: str) -> None:
    assert at(hours, moment) == (state, change)


def test_another_zone_has_other_hours() -> None:
    hours = "Mo-Fr 09:00-17:00"
    assert at(hours, "2026-07-01T15:30Z") == ("closed", "2026-07-02T07:00Z")
    assert at(hours, "2026-07-01T15:30Z", "America/New_York", "US") == ("open", "2026-07-01T21:00Z")


def test_holidays_are_those_of_the_country() -> None:
    kings_day = "2026-04-27T10:00Z"
    assert at("Mo-Su 10:00-16:00; PH off", kings_day)[0] == "closed"
    assert at("Mo-Su 10:00-16:00; PH off", kings_day, country="BE")[0] == "open"
    # without a country, those of the zone's
    assert at("Mo-Su 10:00-16:00; PH off", kings_day, country=None)[0] == "closed"
    assert at("Mo-Su 10:00-16:00; PH off", kings_day, country="AQ")[0] == "open"  # it has no calendar


def test_reading_needs_no_borders() -> None:
    program = (
        "import resource\n"
        "from datetime import UTC, datetime\n"
        "from admin_service.domain.geo import Point\n"
        "from admin_service.domain.opening_hours import state_at\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "state_at('sunrise-17:00; PH off', 'Europe/Amsterdam', None, Point(52, 5), datetime.now(UTC))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True)
    assert int(done.stdout) < 20_000  # kilobytes


def test_a_comment_is_told() -> None:
    found = state_at(
        'Mo-Su 10:00-12:00 "by appointment"', "Europe/Amsterdam", "NL", AMSTERDAM,
        datetime(2026, 7, 1, 9, 0, tzinfo=UTC),
    )  # fmt: skip
    assert (found.state, found.comment) == ("open", "by appointment")


@pytest.mark.parametrize(
    "text, plain",
    [
        ("Mo-Su 00:00-24:00", "24/7"),
        ("24/7 ; Su closed", "Mo-Sa"),
        ("Mo,Tu,We 10:00-12:00", "Mo-We 10:00-12:00"),
    ],
)
def test_hours_are_put_plainly(text: str, plain: str) -> None:
    assert normalised(text) == plain
    assert normalised(plain) == plain


@pytest.mark.parametrize("text", ["", "Mo-Fr 25:99", "always", "<script>", "x" * (MAX_LENGTH + 1), "Mo-"])
def test_what_is_wrong_is_said_with_its_place(text: str) -> None:
    with pytest.raises(ValueError, match=r"Column \d+: .|At most|Not opening hours"):
        normalised(text)


@given(st.text(max_size=MAX_LENGTH + 10))
def test_no_text_is_a_failure(text: str) -> None:
    try:
        plain = normalised(text)
    except ValueError:
        return
    begun = time.perf_counter()
    state_at(plain, "Europe/Amsterdam", "NL", AMSTERDAM, datetime(2026, 7, 1, tzinfo=UTC))
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    "point, zone",
    [
        (AMSTERDAM, "Europe/Amsterdam"),
        (Point(40.4, -3.7), "Europe/Madrid"),
        (Point(-17.7, 178), "Pacific/Fiji"),
        (Point(4.89, 52.37), "Etc/GMT-3"),
    ],
)
def test_a_place_has_a_zone(point: Point, zone: str) -> None:
    assert zone_at(point) == zone


def test_a_place_lies_in_a_country_or_does_not() -> None:
    assert lies_in(AMSTERDAM, "NL") is True
    assert lies_in(Point(4.89, 52.37), "NL") is False
    assert lies_in(AMSTERDAM, "ZZ") is None
    assert is_country("NL")
    assert not is_country("ZZ")
