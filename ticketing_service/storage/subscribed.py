"""What webhooks are wanted, kept by each process: so what nobody wants costs a sale nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from common.coordination.signal import ALONE, Signal
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
    """Asks `read` when there is a signal, and at least every two seconds: then by one thread while the others
    go on with what was known. With the store away, what was last known stands.
    """

    def __init__(
        self,
        read: Callable[[], Wanted],
        signal: Signal = ALONE,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._signal, self._monotonic = read, signal, monotonic
        self._lock = threading.Lock()
        self._known: Wanted | None = None
        self._epoch = 0
        self._look_at = 0.0

    def __call__(self) -> Wanted:
        """What is wanted. Raises StoreUnavailable when nothing was ever known."""
        known, is_news = self._known, self._signal.epoch() != self._epoch
        if known is not None and not is_news and self._monotonic() < self._look_at:
            return known
        if not self._lock.acquire(blocking=known is None or is_news):
            return known or NOTHING
        try:
            epoch = self._signal.epoch()
            if self._known is None or epoch != self._epoch or self._monotonic() >= self._look_at:
                self._look(epoch)
            return self._known or NOTHING
        finally:
            self._lock.release()

    def changed(self) -> None:
        """Something has changed: everybody asks at the next occasion."""
        self._look_at = 0.0
        self._signal.bump()

    def _look(self, epoch: int) -> None:
        self._look_at = self._monotonic() + LOOK_SECONDS
        try:
            self._known = self._read()
            self._epoch = epoch
        except StoreUnavailable:
            if self._known is None:
                self._look_at = 0.0
                raise
