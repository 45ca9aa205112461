"""What webhooks tell of a sale that is paid for, and of its use at the gate."""

from __future__ import annotations

import pytest

from tests.contract.builders import NOW, make_scan, make_subscription
from tests.faults.sale import AFTER, Sale
from ticketing_service.domain.bookings import Booking, PaymentState
from ticketing_service.domain.slots import Slot
from ticketing_service.domain.webhooks import EventType, Outcome, Subscription
from ticketing_service.storage.port import Store

EVERYTHING = 100


@pytest.fixture
def sale(store: Store) -> Sale:
    return Sale(store)


@pytest.fixture
def slot(sale: Sale) -> Slot:
    return sale.place(capacity=1, price=1250)


@pytest.fixture
def hears(store: Store, slot: Slot) -> Subscription:
    return store.webhooks.create(make_subscription(), EVERYTHING)


def news(sale: Sale, hears: Subscription) -> list[str]:
    """What was told since the last time: status and payment of bookings, by version; and changed slots."""
    store = sale.store.webhooks
    while store.spread(NOW, EVERYTHING):
        pass
    page = store.deliveries(hears.id, None, EVERYTHING, None).items
    fresh = [each for each in page if each.finished_at is None]
    fresh.sort(key=lambda each: (each.type is not EventType.BOOKING, each.sequence, each.event_id))
    while claimed := store.claim(hears.id, AFTER, AFTER, EVERYTHING):
        for each in claimed:
            store.settle(each, Outcome(delivered=True), NOW)
    return [
        f"{each.data['status']} {each.data['paymentStatus']}" if each.type is EventType.BOOKING else "places"
        for each in fresh
    ]


def held(sale: Sale, slot: Slot, hears: Subscription) -> Booking:
    booking = sale.hold(slot)
    assert news(sale, hears) == ["on_hold none", "places"]
    return booking


def test_a_sale_is_told_from_the_hold_to_the_gate(sale: Sale, slot: Slot, hears: Subscription) -> None:
    booking = held(sale, slot, hears)
    payment = sale.open_payment(booking)
    assert news(sale, hears) == ["on_hold pending"]
    sale.tell(booking, payment, PaymentState.AUTHORIZED)
    assert news(sale, hears) == ["confirmed authorized"]
    sale.tell(booking, payment, PaymentState.CAPTURED)
    assert news(sale, hears) == ["confirmed captured"]
    sale.tell(booking, payment, PaymentState.CAPTURED)
    assert news(sale, hears) == []
    (admission,) = sale.store.admissions.of_booking(booking.id)
    sale.store.admissions.redeem(make_scan(admission), lambda _: "once", NOW)
    assert news(sale, hears) == ["redeemed captured"]


def test_what_is_cancelled_gives_places_and_money_back(sale: Sale, slot: Slot, hears: Subscription) -> None:
    booking, _ = sale.paid(slot)
    news(sale, hears)
    sale.cancel(booking)
    assert news(sale, hears) == ["cancelled refund_pending", "places"]


def test_a_late_payment_takes_the_places_again(sale: Sale, slot: Slot, hears: Subscription) -> None:
    booking = held(sale, slot, hears)
    payment = sale.open_payment(booking)
    assert sale.store.bookings.expire_due(AFTER, 10) == 1
    assert news(sale, hears) == ["on_hold pending", "expired pending", "places"]
    sale.tell(booking, payment, PaymentState.CAPTURED, AFTER)
    assert news(sale, hears) == ["confirmed captured", "places"]


def test_a_late_payment_without_places_is_returned(sale: Sale, slot: Slot, hears: Subscription) -> None:
    booking = held(sale, slot, hears)
    payment = sale.open_payment(booking)
    sale.hold(slot, now=AFTER)
    news(sale, hears)
    told = sale.tell(booking, payment, PaymentState.CAPTURED, AFTER)
    assert news(sale, hears) == [f"expired {told.payment_status.value}"]


def test_a_hold_that_moves_to_another_slot_changes_both(sale: Sale, slot: Slot, hears: Subscription) -> None:
    other = sale.place(capacity=1, price=1250)
    news(sale, hears)
    booking = held(sale, slot, hears)
    sale.amend(booking, other, 1)
    assert news(sale, hears) == ["on_hold none", "places", "places"]
