"""The clock as a value: code that needs the time is handed a `Clock`, so that tests own it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present instant: timezone-aware UTC, whole milliseconds."""


def to_milliseconds(moment: datetime) -> datetime:
    """Cut `moment` (timezone-aware) to the whole milliseconds that every store keeps, in UTC."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def system_clock() -> datetime:
    """The machine's time, UTC, in whole milliseconds."""
    return to_milliseconds(datetime.now(UTC))
