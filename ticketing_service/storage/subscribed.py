"""What webhooks are wanted, kept by each process: so what nobody wants costs a sale nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from common.database.unavailable import StoreUnavailable
from ticketing_service.domain.webhooks import EventType, Subscription

LOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """By active subscriptions. `bookings`: of which reseller, tests or not; `all_bookings`: by somebody."""

    bookings: frozenset[tuple[UUID | None, bool]] = frozenset()
    all_bookings: bool = False
    availability: bool = False
    products: bool = False

    def of_booking(self, reseller_id: UUID | None, is_test: bool, *, places: bool) -> bool:
        """Whether a change of such a booking is to be told; `places`: its availability, too."""
        if self.all_bookings or (places and self.availability and not is_test):
            return True
        return (reseller_id, is_test) in self.bookings


NOTHING = Wanted()


def wanted_by(subscriptions: Iterable[Subscription]) -> Wanted:
    """What active `subscriptions` want."""
    listed = tuple(subscriptions)
    of_bookings = [each for each in listed if EventType.BOOKING in each.events]
    events = {event for each in listed for event in each.events}
    return Wanted(
        bookings=frozenset((each.reseller_id, each.is_test) for each in of_bookings if each.reseller_id),
        all_bookings=any(each.reseller_id is None for each in of_bookings),
        availability=EventType.AVAILABILITY in events,
        products=EventType.PRODUCT in events,
    )


class Subscribed:
    """Asks `read` at most every two seconds, by one thread while the others go on with what was known. With
    the store away, what was last known stands.
    """

    def __init__(
        self, read: Callable[[], Wanted], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._read, self._monotonic = read, monotonic
        self._lock = threading.Lock()
        self._known: Wanted | None = None
        self._look_at = 0.0

    def __call__(self) -> Wanted:
        """What is wanted. Raises StoreUnavailable when nothing was ever known."""
        known = self._known
        if known is not None and self._monotonic() < self._look_at:
            return known
        if not self._lock.acquire(blocking=known is None):
            return known or NOTHING
        try:
            if self._known is None or self._monotonic() >= self._look_at:
                self._look()
            return self._known or NOTHING
        finally:
            self._lock.release()

    def look_again(self) -> None:
        """Something has changed: ask at the next occasion."""
        self._look_at = 0.0

    def _look(self) -> None:
        self._look_at = self._monotonic() + LOOK_SECONDS
        try:
            self._known = self._read()
        except StoreUnavailable:
            if self._known is None:
                self._look_at = 0.0
                raise
