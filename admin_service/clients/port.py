"""What the actions ask of the world outside, and how it can fail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

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
