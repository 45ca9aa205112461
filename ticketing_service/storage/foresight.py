"""A hold worked out before its turn to write, from what an earlier one saw.

While a process has its turn, all others wait; so as little as possible is left for it. What a slot offers
changes seldom: the offers of earlier sales are kept, the booking is priced and its answer rendered with them
beforehand, and the turn itself only asks whether the versions of slot and ticket are still the same. If not,
the hold is worked out anew, from what the store says then. How many places are left is never kept: that is
decided by the guarded update alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from common.web.idempotency import Idempotency
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.catalogue import Ticket
from ticketing_service.domain.errors import Refused
from ticketing_service.domain.orders import HoldOrder, Offer

MOST_OFFERS = 512


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A booking that is right if `offers` still are, and the key that brings its answer along."""

    booking: Booking
    offers: Mapping[UUID, Offer]
    idempotency: Idempotency | None


class KnownOffers:
    """What committed sales of this process saw on offer. Safe for threads."""

    def __init__(self) -> None:
        self._offers: dict[UUID, Offer] = {}
        self._tickets: dict[UUID, Ticket] = {}

    def remember(self, offers: Iterable[Offer]) -> None:
        """Keep `offers`, read in a transaction that was committed."""
        if len(self._offers) >= MOST_OFFERS:
            self._offers, self._tickets = {}, {}
        for offer in offers:
            ticket = self._tickets.get(offer.ticket.id)
            if ticket is None or ticket.version != offer.ticket.version:
                ticket = self._tickets[offer.ticket.id] = offer.ticket
            self._offers[offer.slot.id] = replace(offer, ticket=ticket)

    def offer(self, slot_id: UUID) -> Offer | None:
        """As an earlier sale saw it."""
        return self._offers.get(slot_id)

    def counters(self, slot_ids: Iterable[UUID]) -> dict[UUID, tuple[UUID, ...]]:
        """The counters of those of the slots that are known."""
        known = self._offers
        return {
            slot_id: tuple(counter.id for counter in known[slot_id].slot.counters)
            for slot_id in slot_ids
            if slot_id in known
        }

    def foresee(
        self,
        order: HoldOrder,
        price: Callable[[Mapping[UUID, Offer]], Booking],
        idempotency: Idempotency | None,
    ) -> Foreseen | None:
        """What the hold will most likely be; None where that cannot be told, as with a voucher."""
        known = self._offers
        offers = {item.slot_id: known[item.slot_id] for item in order.items if item.slot_id in known}
        if order.voucher_code is not None or any(item.slot_id not in offers for item in order.items):
            return None
        try:
            booking = price(offers)
        except Refused:  # by what may have changed: the store has the last word
            return None
        return Foreseen(booking, offers, None if idempotency is None else idempotency.foreseeing(booking))
