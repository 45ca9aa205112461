"""Refunds promised of money that never came, and refunds of a second payment of the same booking."""

from __future__ import annotations

import pytest

from tests.contract.builders import NOW
from tests.faults.sale import Sale
from ticketing_service.domain.bookings import Booking, BookingStatus, Payment, PaymentState, PaymentStatus
from ticketing_service.storage.ports.ledger import RevenueQuery

PRICE = 1000
TODAY = NOW.date()


def _refunds(sale: Sale, booking: Booking) -> list[tuple[int, str]]:
    return [(refund.amount, refund.status) for refund in sale.now_of(booking).refunds]


def _authorised(sale: Sale, quantity: int) -> tuple[Booking, Payment]:
    booking = sale.hold(sale.place(capacity=5, price=PRICE), quantity)
    payment = sale.open_payment(booking)
    return sale.tell(booking, payment, PaymentState.AUTHORIZED), payment


def _refunded_by_ticket(sale: Sale) -> int:
    query = RevenueQuery(day_from=TODAY, day_to=TODAY, group_by="ticket")
    return sum(row.refunds for row in sale.store.ledger.revenue(query))


@pytest.mark.parametrize("cancelled", [1, 2], ids=["a part", "the whole"])
@pytest.mark.parametrize("told", ["by the capture's answer", "by the module's state"])
def test_a_refund_promised_before_a_refused_capture_is_void(sale: Sale, cancelled: int, told: str) -> None:
    booking, payment = _authorised(sale, 2)
    sale.cancel(booking, units=cancelled)
    if told == "by the capture's answer":
        sale.store.payments.capture_refused(payment.id, "card blocked", NOW)
    sale.tell(booking, payment, PaymentState.VOIDED)
    assert sale.now_of(booking).status is BookingStatus.CANCELLED
    assert [status for _, status in _refunds(sale, booking)] == ["void"]
    assert sale.now_of(booking).payment_status is PaymentStatus.VOIDED
    assert _refunded_by_ticket(sale) == 0


def test_a_refund_of_a_second_payment_does_not_hide_one_made_at_the_module(sale: Sale) -> None:
    booking = sale.hold(sale.place(price=PRICE))
    first = sale.open_payment(booking)
    sale.tell(booking, first, PaymentState.CAPTURED)
    sale.tell(booking, first, PaymentState.CAPTURED, provider_id="pay-second")
    sale.tell(booking, first, PaymentState.PARTIALLY_REFUNDED, refunded=400)
    assert sorted(_refunds(sale, booking)) == [(400, "refunded"), (PRICE, "pending")]
