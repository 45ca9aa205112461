"""A sale in small steps: slots with little capacity, holds, payments as the module tells of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from common.refusals import RefusalCode, Refused
from tests.contract.builders import NOW, make_admissions, make_option, make_order, plain_unit
from tests.contract.world import LIMITS, World, pricing
from ticketing_service.domain.bookings import Booking, BookingStatus, Observation, Payment, PaymentState
from ticketing_service.domain.orders import ItemOrder
from ticketing_service.domain.refunds import plan_cancellation
from ticketing_service.domain.slots import Slot
from ticketing_service.storage.ports.bookings import Amendment, Cancellation
from ticketing_service.storage.ports.payments import PaymentSession

HOLD = timedelta(minutes=15)
AFTER = NOW + HOLD
"""The first instant at which a hold made at NOW is over."""

_WITH_MONEY = (PaymentState.CAPTURED, PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED)


class Sale(World):
    """What a test of a fault does; the world of the contract tests, and paying."""

    def place(self, capacity: int | None = 1, price: int = 0, pax: int = 1, **option: Any) -> Slot:
        """A slot of a ticket of its own, with one unit."""
        ticket = self.ticket(options=(make_option(plain_unit(price, pax), **option),))
        return self.slot(ticket, capacity=capacity)

    def refusal(self, slot: Slot, quantity: int = 1, now: datetime = NOW, **changes: Any) -> RefusalCode:
        """The code with which a hold is refused. AssertionError when it is not."""
        try:
            held = self.hold(slot, quantity, now, **changes)
        except Refused as refused:
            return refused.code
        raise AssertionError(f"sold: {held}")

    def hold_items(self, *items: ItemOrder, now: datetime = NOW, **changes: Any) -> Booking:
        """A booking of several items."""
        order = replace(make_order(), items=items, **changes)
        return self.store.bookings.hold(order, pricing(order, now), LIMITS, now + HOLD, now)

    def confirm(self, booking: Booking, now: datetime = NOW) -> Booking:
        return self.store.bookings.confirm_free(booking.id, make_admissions, "test", now)

    def cancel(self, booking: Booking, now: datetime = NOW, units: int | None = None) -> Booking:
        """The whole, or the first `units` unit items."""
        chosen = None if units is None else tuple(unit.id for unit in booking.unit_items[:units])
        return self.store.bookings.cancel(
            booking.id,
            lambda found: plan_cancellation(found, chosen, now),
            Cancellation(actor="test", reason="changed plans"),
            now,
        )

    def now_of(self, booking: Booking) -> Booking:
        """The booking as it is now."""
        found = self.store.bookings.get(booking.id)
        assert found is not None
        return found

    def taken(self, slot: Slot) -> tuple[int, int]:
        """People held and sold of the slot's first counter."""
        counter = self.again(slot).counters[0]
        return counter.held, counter.sold

    def open_payment(self, booking: Booking, now: datetime = NOW) -> Payment:
        """A session at the module."""
        payment = self.store.payments.open_attempt(booking.id, "http://localhost/", now)
        session = PaymentSession(
            provider_id=f"pay-{payment.id}",
            redirect_url="http://localhost/pay",
            session_ends_at=now + timedelta(minutes=20),
        )
        return self.store.payments.opened(payment.id, session, now)

    def tell(
        self, booking: Booking, payment: Payment, state: PaymentState, now: datetime = NOW, **changes: Any
    ) -> Booking:
        """What the module says of the payment now."""
        amount = changes.get("amount", payment.amount)
        observation = Observation(
            provider_id=payment.provider_id or "",
            resource_id=str(booking.id),
            state=state,
            amount=amount,
            currency=payment.currency,
            captured=amount if state in _WITH_MONEY else 0,
            refunded=amount if state is PaymentState.REFUNDED else 0,
        )
        return self.store.payments.observe(
            booking.id, replace(observation, **changes), {}, make_admissions, "module", now
        )

    def paid(self, slot: Slot, quantity: int = 1) -> tuple[Booking, Payment]:
        """A booking that is captured."""
        held = self.hold(slot, quantity)
        payment = self.open_payment(held)
        confirmed = self.tell(held, payment, PaymentState.CAPTURED)
        assert confirmed.status is BookingStatus.CONFIRMED
        return confirmed, payment

    def tasks(self, kind: str) -> list[dict[str, Any]]:
        """What waits in the outbox of that kind, at any time."""
        later = NOW + timedelta(days=365)
        found = self.store.outbox.claim(later, later, 1000)
        return [dict(task.payload) for task in found if task.kind == kind]

    def amend(self, booking: Booking, slot: Slot, quantity: int, now: datetime = NOW) -> Booking:
        """Exchange all items of a hold for `quantity` of the slot's unit."""
        unit = self.store.slots.offers([slot.id])[slot.id].ticket.options[0].units[0]
        order = make_order((slot.id, unit.id, quantity))
        return self.store.bookings.amend(
            booking.id, Amendment(items=order.items), pricing(order, now), "test", now
        )
