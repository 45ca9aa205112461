"""The dates of one RRULE (RFC 5545 section 3.3.10), with bounded work whatever it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta

from dateutil.rrule import rrule, rrulestr

from ticketing_service.domain.local_time import local_day

MAX_LENGTH = 500
MAX_INTERVAL = 366
MAX_COUNT = 10_000

_CALENDAR_CYCLE = 400
"""Years after which the Gregorian calendar repeats, weekdays included."""
_YEARS_SEARCHED = 40
"""A rule that has no date for so long, or longer, has none."""

_WEEKDAY = "(MO|TU|WE|TH|FR|SA|SU)"
_UNTIL = re.compile(r"(\d{8})(T\d{6}Z?)?")


def recurring_dates(text: str, first: date, last: date, zone: str) -> Iterator[date]:
    """The dates from `first` (the rule's DTSTART, from which it counts) to `last`, both included.

    An UNTIL in UTC is read as the local day of `zone`. Raises ValueError with a text for people when the rule
    cannot be read, is finer than daily, or has no date at all.
    """
    parts = _parts(text)
    # dateutil searches to the year 9999 for a rule like "30 February". Many whole cycles of the calendar
    # later all days have the same names and that year is near, so that a hopeless search ends soon.
    spare = date.max.year - _YEARS_SEARCHED - max(first, last).year
    shift = max(0, spare) // _CALENDAR_CYCLE * _CALENDAR_CYCLE
    until = parts.pop("UNTIL", None)
    if until is not None:
        last = min(last, _until(until, zone))
    start = datetime.combine(first.replace(year=first.year + shift), time.min)
    rule = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=start)
    if not isinstance(rule, rrule):
        raise ValueError("The rule is not one RRULE.")
    empty = True
    for moment in _moments(rule):
        empty = False
        day = moment.date().replace(year=moment.year - shift)
        if day > last:
            break
        yield day
    if empty:
        raise ValueError("The rule has no date.")


def _moments(rule: rrule) -> Iterator[datetime]:
    moments = iter(rule)
    while True:
        try:
            yield next(moments)
        except (StopIteration, OverflowError, ValueError):
            # The last two: dateutil looked beyond the year 9999.
            return


def _parts(text: str) -> dict[str, str]:
    """The checked parts of the rule by name, upper case."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"A rule has at most {MAX_LENGTH} characters.")
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").split(";"):
        name, _, value = part.partition("=")
        check = _CHECKS.get(name)
        if check is None or not check(value):
            raise ValueError(f"{part[:40]!r} cannot be read here.")
        if name in parts:
            raise ValueError(f"{name} is given twice.")
        parts[name] = value
    if "FREQ" not in parts:
        raise ValueError("The rule has no FREQ.")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("A rule has COUNT or UNTIL, not both.")
    _check_numbered_weekdays(parts)
    return parts


def _check_numbered_weekdays(parts: Mapping[str, str]) -> None:
    """The n-th weekday is one of a month or of a year; dateutil ignores or stumbles over others."""
    numbers = [int(number) for number in re.findall(r"\d+", parts.get("BYDAY", ""))]
    in_year = parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts
    most = 53 if in_year else 5 if parts["FREQ"] in ("MONTHLY", "YEARLY") else 0
    if max(numbers, default=0) > most:
        raise ValueError("BYDAY has a weekday of a number that the period does not have.")


def _until(text: str, zone: str) -> date:
    if text.endswith("Z"):
        return local_day(datetime.fromisoformat(text), zone)
    return date.fromisoformat(text[:8])


def _is_until(value: str) -> bool:
    if _UNTIL.fullmatch(value) is None:
        return False
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return False
    return date.min + timedelta(days=2) < moment.date() < date.max - timedelta(days=2)


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: compiled.fullmatch(value) is not None


def _number(most: int) -> Callable[[str], bool]:
    return lambda value: re.fullmatch("[0-9]{1,5}", value) is not None and 1 <= int(value) <= most


def _numbers(most: int, signed: bool = True) -> Callable[[str], bool]:
    pattern = re.compile("[+-]?[0-9]{1,3}" if signed else "[0-9]{1,3}")

    def check(value: str) -> bool:
        return all(pattern.fullmatch(n) is not None and 1 <= abs(int(n)) <= most for n in value.split(","))

    return check


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "FREQ": _matches("DAILY|WEEKLY|MONTHLY|YEARLY"),
    "INTERVAL": _number(MAX_INTERVAL),
    "COUNT": _number(MAX_COUNT),
    "UNTIL": _is_until,
    "WKST": _matches(_WEEKDAY),
    "BYDAY": _matches(rf"([+-]?[1-9]\d?)?{_WEEKDAY}(,([+-]?[1-9]\d?)?{_WEEKDAY})*"),
    "BYMONTH": _numbers(12, signed=False),
    "BYMONTHDAY": _numbers(31),
    "BYYEARDAY": _numbers(366),
    "BYWEEKNO": _numbers(53),
    "BYSETPOS": _numbers(366),
}
