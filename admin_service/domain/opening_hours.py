"""Opening hours in the syntax of OpenStreetMap (https://wiki.openstreetmap.org/wiki/Key:opening_hours).

`opening_hours_py` reads and evaluates them: public holidays by country, sunrise by place. It also knows which
time zone a place lies in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal
from zoneinfo import ZoneInfo

from opening_hours import (  # type: ignore[attr-defined]  # its types leave out the exceptions
    InvalidCoordinatesError,
    OpeningHours,
    ParserError,
    State,
    UnknownCountryError,
)

from admin_service.domain.geo import Point

MAX_LENGTH = 500
HORIZON_DAYS = 400
"""A change that is further away is none: looking for one to the end of time took a third of a second."""

_UTC = ZoneInfo("UTC")
_SOME_MOMENT = datetime(2026, 1, 1, tzinfo=_UTC)
_EVERY_DAY = "10:00-12:00"
_STATES: dict[State, Literal["open", "closed", "unknown"]] = {
    State.OPEN: "open",
    State.CLOSED: "closed",
    State.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class OpenState:
    """At one instant. `comment` is what the hours say of it, such as "by appointment"; `next_change` is UTC,
    None when there is none within `HORIZON_DAYS`.
    """

    state: Literal["open", "closed", "unknown"]
    comment: str
    next_change: datetime | None


def normalised(text: str) -> str:
    """The hours in their plain form. Raises ValueError with what is wrong with them."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"At most {MAX_LENGTH} characters.")
    try:
        return str(OpeningHours(text).normalize())
    except ParserError as error:
        raise ValueError(_where(str(error))) from error


def state_at(hours: str, zone: str, country: str | None, point: Point, moment: datetime) -> OpenState:
    """Whether it is open at `moment`, by the clocks of `zone`. `hours` as `normalised` gives them."""
    read = _read(hours, zone, country, point)
    local = moment.astimezone(ZoneInfo(zone))
    state, comment = read.state(local)
    change = read.next_change(local)
    return OpenState(_STATES[state], comment, None if change is None else change.astimezone(UTC))


def zone_at(point: Point) -> str:
    """The IANA zone that the place lies in; a nautical one such as `Etc/GMT-3` at sea.

    The first call of a process loads the borders of all zones: 110 MB, 0.15 s.
    """
    try:
        read = OpeningHours(_EVERY_DAY, coords=(point.latitude, point.longitude))
    except InvalidCoordinatesError as error:
        raise ValueError("not a place on earth") from error
    change = read.next_change(_SOME_MOMENT)
    assert change is not None  # noqa: S101 it opens every day
    return str(change.tzinfo)


def lies_in(point: Point, country: str) -> bool | None:
    """Whether the clocks of the place are those of the country (ISO 3166-1 alpha-2); None for a country that
    has no zone of its own in the IANA database.
    """
    zones = _zones_by_country().get(country)
    return None if zones is None else zone_at(point) in zones


def is_country(code: str) -> bool:
    """Whether there is such a country (ISO 3166-1 alpha-2)."""
    return code in _zones_by_country()


@lru_cache(maxsize=2048)
def _read(hours: str, zone: str, country: str | None, point: Point) -> OpeningHours:
    options: dict[str, Any] = {
        "timezone": ZoneInfo(zone),
        # for the sun; what else they could tell, the country and the zone, takes 110 MB of borders to know
        "coords": (point.latitude, point.longitude),
        "auto_timezone": False,
        "auto_country": False,
        "max_interval_days": HORIZON_DAYS,
    }
    try:
        return OpeningHours(hours, country=country or _country_of(zone), **options)
    except UnknownCountryError:
        # it has no calendar of holidays
        return OpeningHours(hours, **options)


@lru_cache(maxsize=512)
def _country_of(zone: str) -> str | None:
    """The country that a zone is named for."""
    return next((code for code, zones in _zones_by_country().items() if zone in zones), None)


@lru_cache(maxsize=1)
def _zones_by_country() -> dict[str, frozenset[str]]:
    """From the table that comes with the IANA database: country code, coordinates, zone."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    zones: dict[str, set[str]] = {}
    for line in table.splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            zones.setdefault(country, set()).add(zone)
    return {country: frozenset(names) for country, names in zones.items()}


def _where(message: str) -> str:
    """The library's message without its drawing: it points to a column with a caret."""
    lines = [line.strip() for line in message.splitlines()]
    place = next((line.removeprefix("--> ") for line in lines if line.startswith("--> ")), "")
    column = place.partition(":")[2]
    reason = next((line.removeprefix("= ") for line in lines if line.startswith("= ")), "cannot be read")
    return f"Column {column}: {reason}." if column else "Not opening hours."
