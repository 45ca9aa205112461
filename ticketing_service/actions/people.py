"""A person's data, for the admin service: shown to them, or taken out."""

from __future__ import annotations

from collections.abc import Iterator

from ticketing_service.actions.ports import Ports
from ticketing_service.domain.bookings import Booking
from ticketing_service.storage.ports.bookings import BookingQuery
from ticketing_service.storage.ports.people import Erasure

PIECE = 100


def bookings_of(email: str, ports: Ports) -> Iterator[Booking]:
    """All of them, the newest first."""
    cursor = None
    while True:
        page = ports.store.bookings.search(BookingQuery(email=email, limit=PIECE, cursor=cursor))
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def erase_person(email: str, ports: Ports) -> Erasure:
    """What is over becomes pseudonymous; what is still to come keeps its customer."""
    return ports.store.people.erase(email, ports.clock())
