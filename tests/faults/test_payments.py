"""Money: any payment that is not exactly the one for the booking goes back, and none is kept for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.beneath import Beneath
from tests.contract.builders import NOW, make_admissions
from tests.faults.sale import AFTER, Sale
from ticketing_service.domain.bookings import Booking, BookingStatus, Payment, PaymentState, PaymentStatus
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.slots import SlotChange

PENDING, AUTHORIZED, CAPTURED = PaymentState.PENDING, PaymentState.AUTHORIZED, PaymentState.CAPTURED
FAILED, VOIDED = PaymentState.FAILED, PaymentState.VOIDED
PRICE = 1000


def _held(sale: Sale, quantity: int = 1, capacity: int = 5) -> tuple[Booking, Payment]:
    booking = sale.hold(sale.place(capacity=capacity, price=PRICE), quantity)
    return booking, sale.open_payment(booking)


def _refunds(sale: Sale, booking: Booking) -> list[int]:
    return [refund.amount for refund in sale.now_of(booking).refunds]


def _confirmations(sale: Sale, booking: Booking) -> int:
    history = sale.store.bookings.history(booking.id)
    return sum(row.to_status == "confirmed" and row.from_status != "confirmed" for row in history)


def test_the_seat_is_the_customers_before_the_booking_is_paid(sale: Sale) -> None:
    slot = sale.place(capacity=2, price=PRICE)
    booking = sale.hold(slot, 2)
    assert sale.tell(booking, sale.open_payment(booking), AUTHORIZED).status is BookingStatus.CONFIRMED
    assert sale.taken(slot) == (0, 2)
    assert sale.store.admissions.of_booking(booking.id) == ()  # not before there is money
    assert len(sale.tasks("capture")) == 1


@pytest.mark.parametrize("amount", [PRICE - 1, PRICE + 1, 1])
@pytest.mark.parametrize("state", [AUTHORIZED, CAPTURED])
def test_a_payment_of_another_amount_does_not_pay_and_goes_back(
    sale: Sale, amount: int, state: PaymentState
) -> None:
    booking, payment = _held(sale)
    after = sale.tell(booking, payment, state, amount=amount)
    assert after.status is BookingStatus.ON_HOLD
    assert _refunds(sale, booking) == ([amount] if state is CAPTURED else [])
    assert len(sale.tasks("void")) == (state is AUTHORIZED)


@pytest.mark.parametrize("state", [AUTHORIZED, CAPTURED])
def test_a_payment_in_another_currency_does_not_pay_and_goes_back(sale: Sale, state: PaymentState) -> None:
    booking, payment = _held(sale)
    assert sale.tell(booking, payment, state, currency="USD").status is BookingStatus.ON_HOLD
    assert len(_refunds(sale, booking)) + len(sale.tasks("void")) == 1


def test_a_payment_of_nothing_does_not_pay(sale: Sale) -> None:
    booking, payment = _held(sale)
    assert sale.tell(booking, payment, CAPTURED, amount=0).status is BookingStatus.ON_HOLD
    assert sale.tell(booking, payment, CAPTURED, captured=0).status is BookingStatus.ON_HOLD
    with pytest.raises(Refused) as refused:
        sale.confirm(booking)
    assert refused.value.code is Code.PAYMENT_REQUIRED


def test_a_payment_captured_in_part_does_not_pay_and_goes_back(sale: Sale) -> None:
    booking, payment = _held(sale)
    assert sale.tell(booking, payment, CAPTURED, captured=PRICE // 2).status is BookingStatus.ON_HOLD
    assert _refunds(sale, booking) == [PRICE // 2]


def test_a_payment_for_another_booking_is_refused_and_untouched(sale: Sale) -> None:
    booking, payment = _held(sale)
    other, _ = _held(sale)
    with pytest.raises(Refused) as refused:
        sale.tell(other, payment, CAPTURED, resource_id=str(booking.id))
    assert refused.value.code is Code.PAYMENT_MISMATCH
    assert sale.now_of(other).status is BookingStatus.ON_HOLD
    assert _refunds(sale, booking) == []
    assert sale.tell(booking, payment, CAPTURED).status is BookingStatus.CONFIRMED


def test_one_payment_pays_one_booking_only(sale: Sale) -> None:
    first, payment = _held(sale)
    second, _ = _held(sale)
    sale.tell(first, payment, CAPTURED)
    with pytest.raises(Refused) as refused:
        sale.tell(second, payment, CAPTURED)
    assert refused.value.code is Code.PAYMENT_MISMATCH
    assert sale.now_of(second).status is BookingStatus.ON_HOLD


def test_a_booking_that_costs_something_is_not_confirmed_without_payment(sale: Sale) -> None:
    booking, _ = _held(sale)
    with pytest.raises(Refused) as refused:
        sale.confirm(booking)
    assert refused.value.code is Code.PAYMENT_REQUIRED


def test_a_booking_that_costs_nothing_needs_no_payment(sale: Sale) -> None:
    booking = sale.hold(sale.place(price=0))
    with pytest.raises(Refused) as refused:
        sale.open_payment(booking)
    assert refused.value.code is Code.PAYMENT_NOT_NEEDED
    assert sale.confirm(booking).status is BookingStatus.CONFIRMED


@pytest.mark.parametrize(
    "order",
    [
        (AUTHORIZED, CAPTURED),
        (CAPTURED, AUTHORIZED),
        (CAPTURED, PENDING, AUTHORIZED, CAPTURED),
        (PENDING, AUTHORIZED, AUTHORIZED, CAPTURED, CAPTURED, PENDING),
    ],
    ids="-".join,
)
def test_webhooks_repeated_and_out_of_order_come_to_the_same(
    sale: Sale, order: Sequence[PaymentState]
) -> None:
    booking, payment = _held(sale, 2)
    for state in order:
        after = sale.tell(booking, payment, state)
    assert (after.status, after.payment_status) == (BookingStatus.CONFIRMED, PaymentStatus.CAPTURED)
    assert _confirmations(sale, booking) == 1
    assert len(sale.store.admissions.of_booking(booking.id)) == 2
    assert _refunds(sale, booking) == []
    assert len([task for task in sale.tasks("mail") if task["template"] == "confirmation"]) == 1


def test_a_webhook_may_come_before_the_answer_to_the_creation(sale: Sale) -> None:
    booking = sale.hold(sale.place(price=PRICE))
    opening = sale.store.payments.open_attempt(booking.id, "http://localhost/", NOW)
    early = Payment(**{name: getattr(opening, name) for name in Payment.__slots__} | {"provider_id": "pay-1"})
    assert sale.tell(booking, early, CAPTURED).status is BookingStatus.CONFIRMED
    (known,) = sale.store.payments.of_booking(booking.id)
    assert (known.id, known.provider_id, known.accepted) == (opening.id, "pay-1", True)


def test_a_payment_after_expiry_takes_the_seats_again_if_they_are_free(sale: Sale) -> None:
    slot = sale.place(capacity=2, price=PRICE)
    booking = sale.hold(slot, 2)
    payment = sale.open_payment(booking)
    sale.store.bookings.expire_due(AFTER, 10)
    assert sale.now_of(booking).status is BookingStatus.EXPIRED
    assert sale.tell(booking, payment, CAPTURED, AFTER).status is BookingStatus.CONFIRMED
    assert sale.taken(slot) == (0, 2)
    assert _refunds(sale, booking) == []


@pytest.mark.parametrize("state", [AUTHORIZED, CAPTURED])
@pytest.mark.parametrize("swept", [True, False])
def test_a_payment_after_expiry_goes_back_when_the_seats_are_sold(
    sale: Sale, state: PaymentState, swept: bool
) -> None:
    slot = sale.place(capacity=2, price=PRICE)
    booking = sale.hold(slot, 2)
    payment = sale.open_payment(booking)
    if swept:
        sale.store.bookings.expire_due(AFTER, 10)
    sale.hold(slot, 1, AFTER)
    assert sale.tell(booking, payment, state, AFTER).status is BookingStatus.EXPIRED
    assert sale.taken(slot) == (1, 0)
    assert _refunds(sale, booking) == ([2 * PRICE] if state is CAPTURED else [])
    assert any(task["paymentId"] == str(payment.id) for task in sale.tasks("void")) or state is CAPTURED


def test_a_payment_after_expiry_told_twice_has_one_effect(sale: Sale) -> None:
    slot = sale.place(capacity=1, price=PRICE)
    booking = sale.hold(slot)
    payment = sale.open_payment(booking)
    sale.hold(slot, now=AFTER)
    for _ in range(2):
        sale.tell(booking, payment, CAPTURED, AFTER)
    assert _refunds(sale, booking) == [PRICE]


def test_a_payment_after_expiry_goes_back_when_the_slot_is_closed(sale: Sale) -> None:
    slot = sale.place(capacity=2, price=PRICE)
    booking = sale.hold(slot)
    payment = sale.open_payment(booking)
    sale.store.slots.change(slot.id, SlotChange(closed=True), NOW)
    assert sale.tell(booking, payment, CAPTURED, AFTER).status is BookingStatus.EXPIRED
    assert _refunds(sale, booking) == [PRICE]
    assert sale.taken(slot) == (0, 0)


def test_a_payment_after_the_slot_began_goes_back(sale: Sale) -> None:
    slot = sale.place(capacity=2, price=PRICE)
    booking = sale.hold(slot)
    payment = sale.open_payment(booking)
    late = slot.starts_at + timedelta(hours=1)
    assert sale.tell(booking, payment, CAPTURED, late).status is not BookingStatus.CONFIRMED
    assert _refunds(sale, booking) == [PRICE]


def test_a_payment_for_a_cancelled_booking_goes_back_and_takes_no_seats(sale: Sale) -> None:
    slot = sale.place(capacity=2, price=PRICE)
    booking = sale.hold(slot, 2)
    payment = sale.open_payment(booking)
    sale.cancel(booking)
    assert sale.tell(booking, payment, CAPTURED).status is BookingStatus.CANCELLED
    assert _refunds(sale, booking) == [2 * PRICE]
    assert sale.taken(slot) == (0, 0)


def test_a_second_payment_goes_back(sale: Sale) -> None:
    booking, first = _held(sale)
    sale.tell(booking, first, FAILED)
    second = sale.open_payment(booking)
    assert second.id != first.id
    assert sale.tell(booking, second, CAPTURED).status is BookingStatus.CONFIRMED
    assert sale.tell(booking, first, CAPTURED).status is BookingStatus.CONFIRMED
    assert _refunds(sale, booking) == [PRICE]
    accepted = [each.id for each in sale.store.payments.of_booking(booking.id) if each.accepted]
    assert accepted == [second.id]
    assert len(sale.store.admissions.of_booking(booking.id)) == 1


def test_a_payment_that_nobody_opened_is_kept_and_goes_back(sale: Sale) -> None:
    booking, payment = _held(sale)
    sale.tell(booking, payment, CAPTURED)
    stranger = Payment(
        **{name: getattr(payment, name) for name in Payment.__slots__} | {"provider_id": "pay-x"}
    )
    sale.tell(booking, stranger, CAPTURED)
    assert _refunds(sale, booking) == [PRICE]
    assert len(sale.store.payments.of_booking(booking.id)) == 2


def test_a_declined_payment_leaves_the_hold_to_be_paid_by_another(sale: Sale) -> None:
    booking, declined = _held(sale)
    assert sale.tell(booking, declined, FAILED).status is BookingStatus.ON_HOLD
    again = sale.open_payment(booking)
    assert again.id != declined.id
    assert sale.tell(booking, again, CAPTURED).status is BookingStatus.CONFIRMED


def test_a_capture_refused_for_good_cancels_and_returns_the_seats(sale: Sale) -> None:
    slot = sale.place(capacity=2, price=PRICE)
    booking = sale.hold(slot, 2)
    payment = sale.open_payment(booking)
    sale.tell(booking, payment, AUTHORIZED)
    sale.store.payments.capture_refused(payment.id, "card blocked", NOW)
    assert sale.now_of(booking).status is BookingStatus.CANCELLED
    assert sale.taken(slot) == (0, 0)
    assert _refunds(sale, booking) == []
    assert "capture_refused" in [task["template"] for task in sale.tasks("mail")]


def test_a_capture_reported_refused_after_it_was_captured_changes_nothing(sale: Sale) -> None:
    booking, payment = _held(sale)
    sale.tell(booking, payment, AUTHORIZED)
    sale.tell(booking, payment, CAPTURED)
    sale.store.payments.capture_refused(payment.id, "a late answer", NOW)
    assert sale.now_of(booking).status is BookingStatus.CONFIRMED


def test_money_that_comes_after_a_refused_capture_goes_back(sale: Sale) -> None:
    booking, payment = _held(sale)
    sale.tell(booking, payment, AUTHORIZED)
    sale.store.payments.capture_refused(payment.id, "card blocked", NOW)
    sale.tell(booking, payment, CAPTURED)
    assert sale.now_of(booking).status is BookingStatus.CANCELLED
    assert _refunds(sale, booking) == [PRICE]


def test_an_authorisation_that_lapses_cancels_and_returns_the_seats(sale: Sale) -> None:
    slot = sale.place(capacity=1, price=PRICE)
    booking = sale.hold(slot)
    payment = sale.open_payment(booking)
    sale.tell(booking, payment, AUTHORIZED)
    assert sale.tell(booking, payment, VOIDED).status is BookingStatus.CANCELLED
    assert sale.taken(slot) == (0, 0)


def test_repeated_cancelling_refunds_once(sale: Sale) -> None:
    slot = sale.place(capacity=5, price=PRICE)
    booking, _ = sale.paid(slot, 3)
    for _ in range(3):
        sale.cancel(booking)
    assert _refunds(sale, booking) == [3 * PRICE]
    assert sale.taken(slot) == (0, 0)


def test_a_unit_item_is_refunded_once_and_all_of_them_never_more_than_was_paid(sale: Sale) -> None:
    booking, _ = sale.paid(sale.place(capacity=5, price=PRICE), 3)
    sale.cancel(booking, units=1)
    with pytest.raises(Refused) as refused:
        sale.cancel(booking, units=1)
    assert refused.value.code is Code.UNIT_ITEM_NOT_CANCELLABLE
    sale.cancel(booking)
    assert _refunds(sale, booking) == [PRICE, 2 * PRICE]


def test_a_booking_cancelled_while_its_capture_is_under_way_is_refunded_once_captured(sale: Sale) -> None:
    booking, payment = _held(sale, 2)
    sale.tell(booking, payment, AUTHORIZED)
    sale.cancel(booking)
    assert sale.tell(booking, payment, CAPTURED).status is BookingStatus.CANCELLED
    assert _refunds(sale, booking) == [2 * PRICE]
    assert sale.store.admissions.of_booking(booking.id) == ()


def test_a_part_cancelled_while_its_capture_is_under_way_has_no_admission(sale: Sale) -> None:
    booking, payment = _held(sale, 2)
    sale.tell(booking, payment, AUTHORIZED)
    sale.cancel(booking, units=1)
    assert sale.tell(booking, payment, CAPTURED).status is BookingStatus.CONFIRMED
    assert _refunds(sale, booking) == [PRICE]
    assert len(sale.store.admissions.of_booking(booking.id)) == 1


def test_a_refund_made_at_the_module_itself_is_in_our_books(sale: Sale) -> None:
    booking, payment = sale.paid(sale.place(price=PRICE))
    for _ in range(2):
        sale.tell(booking, payment, PaymentState.REFUNDED)
    assert _refunds(sale, booking) == [PRICE]
    assert sale.now_of(booking).payment_status is PaymentStatus.REFUNDED


def test_a_changed_price_voids_the_session_of_the_old_one(sale: Sale) -> None:
    slot = sale.place(capacity=5, price=PRICE)
    booking = sale.hold(slot)
    old = sale.open_payment(booking)
    sale.amend(booking, slot, 3)
    assert [task["paymentId"] for task in sale.tasks("void")] == [str(old.id)]
    new = sale.open_payment(booking)
    assert (new.amount, old.amount) == (3 * PRICE, PRICE)
    assert sale.tell(booking, old, CAPTURED).status is BookingStatus.ON_HOLD
    assert _refunds(sale, booking) == [PRICE]
    assert sale.tell(booking, new, CAPTURED).status is BookingStatus.CONFIRMED


def test_a_price_changed_there_and_back_does_not_send_the_payer_to_a_voided_session(sale: Sale) -> None:
    slot = sale.place(capacity=5, price=PRICE)
    booking = sale.hold(slot)
    first = sale.open_payment(booking)
    sale.amend(booking, slot, 2)
    sale.amend(booking, slot, 1)
    assert sale.open_payment(booking).id != first.id


def test_expiry_and_cancel_void_the_session_that_stands_open(sale: Sale) -> None:
    slot = sale.place(capacity=5, price=PRICE)
    expiring, cancelled = sale.hold(slot), sale.hold(slot)
    open_ones = {str(sale.open_payment(each).id) for each in (expiring, cancelled)}
    sale.cancel(cancelled)
    sale.store.bookings.expire_due(AFTER, 10)
    assert {task["paymentId"] for task in sale.tasks("void")} == open_ones


def test_no_seat_is_locked_while_the_module_is_asked(sale: Sale) -> None:
    slot = sale.place(capacity=3, price=PRICE)
    booking = sale.hold(slot)
    # the call to the module would be here, between the two: everything else goes on meanwhile
    payment = sale.store.payments.open_attempt(booking.id, "http://localhost/", NOW)
    sale.hold(slot)
    sale.store.bookings.extend(booking.id, lambda found: AFTER + timedelta(minutes=5), NOW)
    assert sale.store.payments.get(payment.id) == payment


def test_a_mail_that_cannot_be_sent_does_not_fail_the_booking(sale: Sale, database: Beneath) -> None:
    booking, _ = sale.paid(sale.place(price=PRICE))
    later = NOW + timedelta(hours=1)
    for task in sale.store.outbox.claim(NOW, later, 10):
        sale.store.outbox.failed(task.id, "421 the mail server is away", later)
    assert sale.now_of(booking).status is BookingStatus.CONFIRMED
    assert "mail" in [task.kind for task in database.tables("outbox")["outbox"]]


def test_revenue_is_what_was_captured_and_refunds_stand_apart(sale: Sale, database: Beneath) -> None:
    booking, _ = sale.paid(sale.place(capacity=5, price=PRICE), 2)
    sale.cancel(booking, units=1)
    rows = database.tables("ledger")["ledger"]
    assert sorted((row.kind, row.amount) for row in rows) == [
        ("refund", PRICE),
        ("sale", PRICE),
        ("sale", PRICE),
    ]


def test_admissions_are_made_once_however_often_they_are_asked_for(sale: Sale) -> None:
    booking = sale.confirm(sale.hold(sale.place(capacity=5), 3))
    again = sale.store.bookings.confirm_free(booking.id, make_admissions, "test", NOW)
    assert again.status is BookingStatus.CONFIRMED
    assert len(sale.store.admissions.of_booking(booking.id)) == 3
