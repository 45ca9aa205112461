"""A store with something in it: short ways to what most tests begin with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.contract.builders import (
    FIRST_DAY,
    NOW,
    make_admissions,
    make_order,
    make_schedule,
    make_ticket,
    planned,
)
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.catalogue import Ticket
from ticketing_service.domain.claims import GuestLimits
from ticketing_service.domain.orders import HoldOrder
from ticketing_service.domain.pricing import Offer, PricedBooking, SalePolicy, price_booking
from ticketing_service.domain.slots import Schedule, ScheduleOutcome, Slot
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.calls import Pricing

POLICY = SalePolicy(fee=0, max_units_per_item=100, max_units_per_booking=100)
LIMITS = GuestLimits(per_address=10, per_email=3)


def pricing(order: HoldOrder, now: datetime = NOW) -> Pricing:
    """The prices of the domain, without a fee."""

    def price(offers: Mapping[UUID, Offer], voucher: Voucher | None) -> PricedBooking:
        return price_booking(
            order.items,
            [offers[item.slot_id] for item in order.items],
            voucher,
            POLICY,
            now,
            order.reseller,
        )

    return price


class World:
    """What a test puts into `store` before it asks its question."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def ticket(self, name: str = "Tower climb", **changes: Any) -> Ticket:
        return self.store.catalogue.create(make_ticket(name, **changes))

    def schedule(self, ticket: Ticket, now: datetime = NOW, **rule: Any) -> ScheduleOutcome:
        return self.put(ticket, make_schedule(ticket, **rule), now)

    def put(self, ticket: Ticket, schedule: Schedule, now: datetime = NOW) -> ScheduleOutcome:
        return self.store.slots.put_schedule(ticket, schedule, planned(ticket, schedule, now), now)

    def slots(self, ticket: Ticket, first: date = FIRST_DAY, days: int = 400) -> tuple[Slot, ...]:
        return self.store.slots.between(ticket.id, first, first + timedelta(days=days - 1))

    def slot(self, ticket: Ticket | None = None, **rule: Any) -> Slot:
        """The one slot of a ticket, a new one by default."""
        ticket = ticket or self.ticket()
        self.schedule(ticket, **rule)
        (slot,) = self.slots(ticket)
        return slot

    def again(self, slot: Slot) -> Slot:
        """The slot as it is now."""
        return self.store.slots.offers([slot.id])[slot.id].slot

    def hold(self, slot: Slot, quantity: int = 1, now: datetime = NOW, **changes: Any) -> Booking:
        ticket = self.store.slots.offers([slot.id])[slot.id].ticket
        option = ticket.option(slot.option_id)
        assert option is not None
        order = make_order((slot.id, option.units[0].id, quantity), **changes)
        expires_at = now + timedelta(minutes=15)
        return self.store.bookings.hold(order, pricing(order, now), LIMITS, expires_at, now)

    def sold(self, slot: Slot, quantity: int = 1) -> Booking:
        """A confirmed booking, with its admissions."""
        held = self.hold(slot, quantity)
        return self.store.bookings.confirm_free(held.id, make_admissions, "test", NOW)

    def admission(self, **ticket: Any) -> Admission:
        """The admission of a booking of one unit."""
        booking = self.sold(self.slot(self.ticket(**ticket)))
        (admission,) = self.store.admissions.of_booking(booking.id)
        return admission
