"""Values that mean the same here as in the SQL stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, overload

from bson.int64 import Int64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LOCAL = "%Y-%m-%dT%H:%M"

Document = dict[str, Any]


@overload
def ms(moment: datetime) -> Int64: ...
@overload
def ms(moment: datetime | None) -> Int64 | None: ...
def ms(moment: datetime | None) -> Int64 | None:
    """A UTC instant as milliseconds since 1970: exact, ordered, and the same number on every store."""
    return None if moment is None else Int64((moment - _EPOCH) // _MILLISECOND)


@overload
def instant(value: int) -> datetime: ...
@overload
def instant(value: int | None) -> datetime | None: ...
def instant(value: int | None) -> datetime | None:
    """The instant that `ms` has written."""
    return None if value is None else _EPOCH + value * _MILLISECOND


def local_text(moment: datetime) -> str:
    """A naive local time as text `YYYY-MM-DDTHH:MM`, which sorts by time and needs no zone to be read."""
    return moment.strftime(_LOCAL)


def local_time(text: str) -> datetime:
    """The local time that `local_text` has written."""
    return datetime.fromisoformat(text)
