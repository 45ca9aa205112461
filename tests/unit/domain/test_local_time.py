"""Local times and instants, at the edges that daylight saving makes."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ticketing_service.domain.local_time import instant_of, is_time_zone, local_day, with_offset


@pytest.mark.parametrize(
    "local, zone, instant, shown",
    [
        ("2026-07-01T10:00", "Europe/Amsterdam", "2026-07-01T08:00", "2026-07-01T10:00:00+02:00"),
        ("2026-03-29T02:30", "Europe/Amsterdam", "2026-03-29T01:30", "2026-03-29T03:30:00+02:00"),
        ("2026-10-25T02:30", "Europe/Amsterdam", "2026-10-25T00:30", "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T03:00", "Europe/Amsterdam", "2026-10-25T02:00", "2026-10-25T03:00:00+01:00"),
        ("2026-03-08T02:30", "America/New_York", "2026-03-08T07:30", "2026-03-08T03:30:00-04:00"),
        ("2026-01-01T00:00", "Pacific/Kiritimati", "2025-12-31T10:00", "2026-01-01T00:00:00+14:00"),
    ],
    ids=["summer", "gap", "doubled", "after the doubled hour", "gap in New York", "far east"],
)
def test_a_local_time_stands_for_one_instant(local: str, zone: str, instant: str, shown: str) -> None:
    found = instant_of(datetime.fromisoformat(local), zone)
    assert found == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert found.tzinfo is UTC
    assert with_offset(found, zone) == shown


def test_a_fold_that_somebody_set_does_not_matter() -> None:
    local = datetime.fromisoformat("2026-10-25T02:30")
    assert instant_of(local.replace(fold=1), "Europe/Amsterdam") == instant_of(local, "Europe/Amsterdam")


def test_the_local_day_is_the_one_of_the_place() -> None:
    evening = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert local_day(evening, "Europe/Amsterdam") == date(2026, 7, 2)
    assert local_day(evening, "America/New_York") == date(2026, 7, 1)


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../etc/passwd", "/etc/localtime", "Europe", "a\0b"])
def test_what_is_no_zone_is_told(name: str) -> None:
    assert not is_time_zone(name)
    assert is_time_zone("Europe/Berlin")
