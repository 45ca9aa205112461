"""What `make load` was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.databases import MARIADB, MONGODB, SQLITE

SMOKE, LOAD, STRESS, SPIKE, SOAK, CAPACITY, RUSH = (
    "smoke", "load", "stress", "spike", "soak", "capacity", "rush",
)  # fmt: skip
PROFILES = (SMOKE, LOAD, STRESS, SPIKE, SOAK, CAPACITY, RUSH)
SHORT_SERIES = (SMOKE, LOAD, STRESS, SPIKE, CAPACITY, RUSH)
"""People first: what wrk buys leaves the worker behind for a while."""

STORES = {"sqlite": SQLITE, "mariadb": MARIADB, "mongodb": MONGODB}
UNITS = {"s": 1, "m": 60, "h": 3600}
MOST_AT_ONCE = 12_000
"""Each has a connection of its own, and the gateway has so many."""

LONGEST_HOURS = 11
"""The staff's tokens, of the tests' own issuer, are good for twelve."""


class OptionError(Exception):
    """A setting of the run is impossible; the message is one line that names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`seconds` and `users` are None where each profile takes its own; `think` scales all think times."""

    profiles: tuple[str, ...]
    store: str
    seconds: float | None = None
    users: int | None = None
    think: float = 1.0
    rush: int = 10_000


def read_options(environ: Mapping[str, str]) -> Options:
    """PROFILE, STORE, DURATION, USERS, THINK, BOOKINGS. Raises OptionError."""
    store = (environ.get("STORE") or "sqlite").lower()
    if store not in STORES:
        raise OptionError(f"STORE={store}: expected one of {', '.join(STORES)}")
    duration, users = environ.get("DURATION"), environ.get("USERS")
    return Options(
        profiles=_profiles(environ.get("PROFILE") or ""),
        store=STORES[store],
        seconds=_seconds(duration) if duration else None,
        users=_whole("USERS", users, 1, 100_000) if users else None,
        think=_factor(environ.get("THINK") or "1"),
        rush=_whole("BOOKINGS", environ.get("BOOKINGS") or "10000", 1, MOST_AT_ONCE),
    )


def _profiles(text: str) -> tuple[str, ...]:
    if not text:
        return SHORT_SERIES
    if text == "all":
        return PROFILES
    asked = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in asked if name not in PROFILES]
    if unknown:
        raise OptionError(f"PROFILE={text}: expected all, or some of {', '.join(PROFILES)}")
    return asked


def _seconds(text: str) -> float:
    """`90`, `90s`, `10m` or `4h`."""
    number, factor = (text[:-1], UNITS[text[-1]]) if text[-1] in UNITS else (text, 1)
    try:
        seconds = float(number) * factor
    except ValueError:
        seconds = 0.0
    if not 3 <= seconds <= LONGEST_HOURS * 3600:
        raise OptionError(f"DURATION={text}: expected 3s to {LONGEST_HOURS}h, such as 90s, 10m or 4h")
    return seconds


def _whole(name: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdecimal() and low <= int(text) <= high):
        raise OptionError(f"{name}={text}: expected a whole number from {low} to {high}")
    return int(text)


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = -1.0
    if not 0 <= factor <= 100:
        raise OptionError(f"THINK={text}: expected a factor from 0 to 100")
    return factor
