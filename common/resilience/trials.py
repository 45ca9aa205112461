"""Half-open: a few leased trials decide whether a dependency is back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Release = Callable[[], None]


class Places(Protocol):
    """Room for trials over all processes of the service."""

    def take(self) -> Release | None:
        """A place, given back by calling what is returned; None when all are taken. Does not wait."""
        ...


class Lease:
    """The right to one trial call until `expires_at`; whoever holds it is told apart by identity."""

    __slots__ = ("_over", "_release", "expires_at")

    def __init__(self, expires_at: float) -> None:
        self.expires_at = expires_at
        self._over = False
        self._release: Release | None = None

    def hold(self, release: Release) -> None:
        """Remember what gives the shared place back; at once, if the lease was ended meanwhile."""
        self._release = release
        if self._over:
            self.free()

    def free(self) -> None:
        """Give the shared place back; only the first call does."""
        self._over = True
        release, self._release = self._release, None
        if release is not None:
            release()


class Trials:
    """The trials of one half-open period. Not safe for threads: the breaker's lock is held round each call.

    One at a time, `limit` in all. A lease that is not reported back in time makes room for the next; when
    all are used up without a decision, `exhausted` says so and the breaker opens again: it is never stuck.
    """

    __slots__ = ("_given", "_limit", "_needed", "_successes", "current")

    def __init__(self, limit: int, needed: int) -> None:
        self._limit, self._needed = limit, needed
        self._given = self._successes = 0
        self.current: Lease | None = None

    def busy(self, now: float) -> bool:
        """Whether a trial is under way whose lease still runs."""
        return self.current is not None and now < self.current.expires_at

    def lost(self, now: float) -> Lease | None:
        """The trial that was not reported back in time."""
        return None if self.busy(now) else self.current

    def exhausted(self, now: float) -> bool:
        """Whether all leases are given and none can be reported back any more."""
        return self._given >= self._limit and not self.busy(now)

    def lease(self, now: float, seconds: float) -> Lease | None:
        """The next lease, or None while one is running or when none is left."""
        if self.busy(now) or self._given >= self._limit:
            return None
        self._given += 1
        self.current = Lease(now + seconds)
        return self.current

    def give_back(self, lease: Lease) -> None:
        """The trial said nothing about the dependency: as if it had not been leased."""
        if self.current is lease:
            self.current = None
            self._given -= 1

    def succeeded(self) -> bool:
        """Count a success of the current lease; True when that closes the breaker."""
        self.current = None
        self._successes += 1
        return self._successes >= self._needed
