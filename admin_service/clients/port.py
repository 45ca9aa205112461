"""What the actions ask of the world outside, and how it can fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from common.resilience.unavailable import DependencyUnavailable


class StorageUnavailable(DependencyUnavailable):
    """The storage of media gave no answer that can be relied on. What was asked for may have happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """What is stored under a key. `disposition`: whether a browser may show it (`inline`), or only save it
    (`attachment`)."""

    content: bytes
    media_type: str
    disposition: str = "inline"


class Storage(Protocol):
    """Where the bytes of media are. Keys are ours, never a client's: `name/name.ending`, of small letters,
    digits, `-` and `_`; another one is a ValueError, whatever is asked. Every verb may raise
    StorageUnavailable, and may be repeated.
    """

    def put(self, key: str, stored: StoredObject) -> None:
        """Store it, whole or not at all; what was under the key is replaced."""
        ...

    def get(self, key: str) -> bytes | None:
        """The content; None when there is nothing under the key."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Remove all of them; one that is not there is no failure."""
        ...

    def ping(self) -> None:
        """A sign of life: that it can be written to."""
        ...


class TicketingUnavailable(DependencyUnavailable):
    """The ticketing service gave no answer that can be relied on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """What was sold from one day to another, in UTC days: minor units of `currency`."""

    currency: str
    bookings: int
    units: int
    sales: int
    fees: int
    refunds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was made pseudonymous in ticketing: how many bookings; `open_bookings` are still to come and keep
    what they need until they are over."""

    bookings: int
    open_bookings: int


class Ticketing(Protocol):
    """The ticketing service. Every verb may raise TicketingUnavailable."""

    def sales(self, day_from: date, day_to: date) -> tuple[Sales, ...]:
        """By currency."""
        ...

    def person(self, email: str) -> Mapping[str, Any]:
        """All that ticketing has of who has that e-mail address."""
        ...

    def health(self) -> Mapping[str, Any]:
        """What its health says, whatever that is."""
        ...

    def erase_person(self, email: str) -> Erased:
        """Make what it has of them pseudonymous; may be repeated."""
        ...
