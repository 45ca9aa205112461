"""Local times of a place and the instants that they stand for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def is_time_zone(name: str) -> bool:
    """Whether `name` is a zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def instant_of(local: datetime, zone: str) -> datetime:
    """The instant (UTC) of a naive `local` time in the IANA `zone`.

    A time that daylight saving skips takes the offset before the gap; one that occurs twice is the first of
    the two. That is what `fold=0` means in PEP 495.
    """
    return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def in_zone(instant: datetime, zone: str) -> datetime:
    """The local time (with its offset) that the clocks of `zone` show at `instant`."""
    return instant.astimezone(ZoneInfo(zone))


def with_offset(instant: datetime, zone: str) -> str:
    """`instant` as local ISO 8601 text with offset, whole seconds: `2026-07-01T10:00:00+02:00`."""
    return in_zone(instant, zone).isoformat(timespec="seconds")


def local_day(instant: datetime, zone: str) -> date:
    """The calendar day that it is in `zone` at `instant`."""
    return in_zone(instant, zone).date()
