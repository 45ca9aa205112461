"""Visitors who buy free tickets straight at the store, in threads, until they are told to stop."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta
from types import TracebackType
from typing import Self
from uuid import UUID

from tests.counts import counts
from tests.invariants.destination import local_now, open_destination, order_of, pricing_of
from tests.servers.process import eventually
from ticketing_service.domain.claims import GuestLimits
from ticketing_service.storage.opening import open_store
from ticketing_service.storage.port import Store

LIMITS = GuestLimits(per_address=10, per_email=3)
VISITORS = 3


class Selling:
    """`with Selling(url) as selling:`; `sold` are acknowledged bookings, and when each was (Unix time)."""

    def __init__(self, url: str) -> None:
        self.sold: list[tuple[float, UUID]] = []
        self._store = open_store(url)
        self._destination = open_destination(self._store, capacity=1_000_000, max_uses=30)
        self._stop = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._visit, args=(n,)) for n in range(VISITORS)]

    def go_on_for(self, more: int) -> None:
        """Wait until so many more bookings were sold."""
        wanted = len(self.sold) + more
        eventually(
            lambda: len(self.sold) >= wanted or not self._alive(),
            seconds=counts(60, 600),
            what=f"{more} sales",
        )
        self.raise_failures()

    def sold_by(self, moment: float) -> set[UUID]:
        """The ids of what was acknowledged before a moment."""
        return {booking_id for at, booking_id in list(self.sold) if at < moment}

    def raise_failures(self) -> None:
        for failure in self._failures:
            raise failure

    def _alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def _visit(self, number: int) -> None:
        chance = random.Random(number)
        try:
            while not self._stop.is_set():
                booking_id = sell(self._store, self._destination.items(chance))
                self.sold.append((time.time(), booking_id))
        except BaseException as failure:
            self._failures.append(failure)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._store.close()
        if error is None:
            self.raise_failures()


def sell(store: Store, items) -> UUID:
    """Hold `items` for ten minutes."""
    now = local_now()
    booking = store.bookings.hold(
        order_of(items), pricing_of(items, now), LIMITS, now + timedelta(minutes=10), now
    )
    return booking.id
