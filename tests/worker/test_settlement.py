"""Money: captured, voided, refunded and looked after, against the real sandbox and a real store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common.outbox.port import Later
from tests.contract.builders import NOW
from tests.worker.shop import PRICE, Shop
from ticketing_service.actions import settlement
from ticketing_service.clients.port import PaymentUnavailable
from ticketing_service.domain.bookings import Booking, BookingStatus, PaymentState, PaymentStatus
from ticketing_service.domain.refunds import CancellationPlan, plan_cancellation
from ticketing_service.storage.ports.bookings import Cancellation

A_WHILE = timedelta(minutes=2)
"""Longer than a payment waits for its first look."""


def cancel(shop: Shop, booking: Booking) -> Booking:
    def plan(found: Booking) -> CancellationPlan:
        return plan_cancellation(found, None, NOW)

    told = Cancellation(actor="test", reason="changed my mind")
    return shop.store.bookings.cancel(booking.id, plan, told, shop.ports.clock())


def test_an_authorised_payment_is_captured_and_then_admits(shop: Shop) -> None:
    booking, payment = shop.authorised()
    assert shop.store.admissions.of_booking(booking.id) == ()
    settlement.capture(payment.id, shop.ports)
    assert shop.at_the_module(payment)["capturedAmount"] == PRICE
    assert shop.payment(payment).state is PaymentState.CAPTURED
    assert len(shop.store.admissions.of_booking(booking.id)) == 1


def test_a_capture_whose_answer_was_lost_is_found_done(shop: Shop) -> None:
    booking, payment = shop.authorised()
    shop.sandbox.behave(failNext=1, faultAt="after")
    with pytest.raises(PaymentUnavailable):
        settlement.capture(payment.id, shop.ports)
    settlement.capture(payment.id, shop.ports)
    settlement.capture(payment.id, shop.ports)
    assert shop.at_the_module(payment)["capturedAmount"] == PRICE
    assert shop.booking(booking).payment_status is PaymentStatus.CAPTURED


def test_a_capture_refused_for_good_ends_the_booking_and_frees_its_places(shop: Shop) -> None:
    slot = shop.slot()
    booking, payment = shop.authorised(slot, quantity=3)
    assert shop.world.again(slot).vacancies == 7
    shop.sandbox.behave(refuseCapture="permanent")
    settlement.capture(payment.id, shop.ports)
    assert shop.booking(booking).status is BookingStatus.CANCELLED
    assert shop.world.again(slot).vacancies == 10
    shop.work_off()
    assert shop.at_the_module(payment)["status"] == "cancelled"


def test_a_capture_refused_for_now_is_left_to_a_later_attempt(shop: Shop) -> None:
    booking, payment = shop.authorised()
    shop.sandbox.behave(refuseCapture="temporary")
    with pytest.raises(PaymentUnavailable):
        settlement.capture(payment.id, shop.ports)
    assert shop.booking(booking).status is BookingStatus.CONFIRMED


def test_the_open_session_of_a_cancelled_hold_is_voided(shop: Shop) -> None:
    booking = shop.held()
    payment = shop.opened(booking)
    cancel(shop, booking)
    shop.work_off()
    assert shop.at_the_module(payment)["status"] == "cancelled"
    assert shop.payment(payment).state is PaymentState.VOIDED


def test_a_void_finds_that_the_payer_has_paid_and_gives_the_money_back(shop: Shop) -> None:
    booking = shop.held()
    payment = shop.opened(booking)
    shop.pay(payment, outcome="capture")
    cancel(shop, booking)
    shop.work_off()
    assert shop.booking(booking).status is BookingStatus.CANCELLED
    assert sum(each["amount"] for each in shop.at_the_module(payment)["refunds"]) == PRICE


def test_a_session_whose_creation_got_no_answer_is_found_by_its_key(shop: Shop) -> None:
    booking = shop.held()
    payment = shop.store.payments.open_attempt(booking.id, "http://tickets.test/", shop.ports.clock())
    shop.sandbox.behave(failNext=1, faultAt="after")
    with pytest.raises(PaymentUnavailable):
        shop.ports.payment_module.create(payment, booking)
    settlement.void(payment.id, shop.ports)
    assert shop.payment(payment).state is PaymentState.VOIDED
    assert shop.at_the_module(shop.payment(payment))["metadata"]["attemptId"] == str(payment.id)


def test_a_refund_waits_for_the_capture_and_is_then_made_once(shop: Shop) -> None:
    booking, payment = shop.authorised()
    cancel(shop, booking)
    (refund,) = shop.booking(booking).refunds
    with pytest.raises(Later):
        settlement.refund(refund.id, shop.ports)
    settlement.capture(payment.id, shop.ports)
    shop.sandbox.behave(failNext=0)
    settlement.refund(refund.id, shop.ports)
    settlement.refund(refund.id, shop.ports)
    assert [each["amount"] for each in shop.at_the_module(payment)["refunds"]] == [PRICE]


def test_a_refund_whose_answer_was_lost_is_made_once(shop: Shop) -> None:
    booking, payment = shop.authorised()
    settlement.capture(payment.id, shop.ports)
    cancel(shop, booking)
    (refund,) = shop.booking(booking).refunds
    order = shop.store.payments.refund(refund.id)
    assert order is not None
    # The module was asked, and we died before its answer was kept.
    made = shop.ports.payment_module.refund(order.provider_id, order.amount, order.reason, order.id.hex)
    settlement.refund(refund.id, shop.ports)
    assert [each["amount"] for each in shop.at_the_module(payment)["refunds"]] == [PRICE]
    sent = shop.store.payments.refund(refund.id)
    assert sent is not None
    assert (sent.provider_refund_id, sent.status == "failed") == (made, False)


def test_reconciliation_confirms_a_sale_whose_webhooks_were_lost(shop: Shop) -> None:
    booking = shop.held()
    payment = shop.opened(booking)
    shop.pay(payment)

    shop.skipped += A_WHILE
    assert settlement.reconcile(shop.ports) == 1
    assert shop.booking(booking).status is BookingStatus.CONFIRMED


def test_reconciliation_goes_on_after_a_payment_that_the_module_does_not_know(shop: Shop) -> None:
    lost, paid = shop.held(), shop.held()
    unknown = shop.store.payments.open_attempt(lost.id, "http://tickets.test/", shop.ports.clock())
    session = shop.ports.payment_module.create(unknown, lost)
    elsewhere = type(session)(
        provider_id="0198c0de-0000-7000-8000-000000000000",
        redirect_url=session.redirect_url,
        session_ends_at=session.session_ends_at,
    )
    shop.store.payments.opened(unknown.id, elsewhere, shop.ports.clock())
    payment = shop.opened(paid)
    shop.pay(payment)

    shop.skipped += A_WHILE
    assert settlement.reconcile(shop.ports) == 2
    assert shop.booking(paid).status is BookingStatus.CONFIRMED
    assert shop.booking(lost).status is BookingStatus.ON_HOLD
