"""The business metrics, from what the store's verbs really answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.contract.builders import NOW
from tests.faults.sale import AFTER, Sale
from tests.migrated import with_tables
from ticketing_service.domain.bookings import PaymentState
from ticketing_service.domain.errors import Code
from ticketing_service.storage.changes import Change, Outcome, booking_change, refused_change
from ticketing_service.storage.sql.store import migrate, open_store


@pytest.fixture
def sale(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with_tables(url, migrate)
    store = open_store(url, 2)
    yield Sale(store)
    store.close()


def later(minutes):
    return NOW + timedelta(minutes=minutes)


def observed(sale, told, now):
    return booking_change("payments.observe", told, now, sale.store.bookings.history(told.id))


def outcomes(metrics):
    return {name: number for name, number in metrics.metrics_document()["bookings"].items() if number}


def test_a_sale_its_refund_and_their_repetitions_are_counted_once(sale, metrics):
    slot = sale.place(capacity=5, price=1000)
    held = sale.hold(slot, 2, NOW)
    metrics.on_change(booking_change("bookings.hold", held, NOW))
    payment = sale.open_payment(held)
    for minute, state in enumerate((PaymentState.AUTHORIZED, *[PaymentState.CAPTURED] * 2), start=1):
        told = sale.tell(held, payment, state, later(minute))
        metrics.on_change(observed(sale, told, later(minute)))
    assert outcomes(metrics) == {"created": 1, "confirmed": 1}
    part = sale.cancel(held, later(4), units=1)
    metrics.on_change(booking_change("bookings.cancel", part, later(4)))
    assert outcomes(metrics) == {"created": 1, "confirmed": 1}, "one of two units is no cancelled booking"
    for minute in (5, 6):
        cancelled = sale.cancel(held, later(minute))
        metrics.on_change(booking_change("bookings.cancel", cancelled, later(minute)))
    assert outcomes(metrics) == {"created": 1, "confirmed": 1, "cancelled": 1}
    assert metrics.metrics_document()["revenue"] == {
        "EUR": {"sales": 2000, "refunds": 2000, "byTicketType": {"single": 2000}}
    }


def test_a_free_booking_is_confirmed_once(sale, metrics):
    held = sale.hold(sale.place(), 1, NOW)
    for minute in (1, 2):
        confirmed = sale.confirm(held, later(minute))
        metrics.on_change(booking_change("bookings.confirm_free", confirmed, later(minute)))
    assert outcomes(metrics) == {"confirmed": 1}
    assert metrics.metrics_document()["revenue"] == {}


def test_late_money_without_a_place_ends_the_hold_and_goes_back(sale, metrics):
    slot = sale.place(capacity=1, price=1000)
    held = sale.hold(slot, 1, NOW)
    payment = sale.open_payment(held)
    sale.hold(slot, 1, AFTER)
    assert sale.refusal(slot, now=AFTER) is Code.SOLD_OUT
    metrics.on_change(refused_change("bookings.hold", [slot.id]))
    metrics.on_change(refused_change("bookings.amend", [slot.id]))
    told = sale.tell(held, payment, PaymentState.CAPTURED, AFTER + timedelta(minutes=1))
    metrics.on_change(observed(sale, told, AFTER + timedelta(minutes=1)))
    assert outcomes(metrics) == {"sold_out": 1}
    document = metrics.metrics_document()
    assert document["availability"]["soldOut"] == 2
    assert document["revenue"]["EUR"]["refunds"] == 1000
    assert document["revenue"]["EUR"]["sales"] == 0


def test_a_refused_payment_is_counted_once(sale, metrics):
    held = sale.hold(sale.place(price=1000), 1, NOW)
    payment = sale.open_payment(held)
    for minute in (1, 2):
        told = sale.tell(held, payment, PaymentState.FAILED, later(minute))
        metrics.on_change(observed(sale, told, later(minute)))
    assert outcomes(metrics) == {"failed": 1}


def test_what_a_sweep_did_is_counted_in_one_go(metrics):
    metrics.on_change(Change(verb="bookings.expire_due", outcomes={Outcome.EXPIRED: 7}))
    metrics.on_change(Change(verb="slots.put_schedule", slots_changed=12))
    assert outcomes(metrics) == {"expired": 7}
    assert metrics.metrics_document()["availability"]["updates"] == 12


def test_a_change_names_what_caches_must_drop(sale):
    slot = sale.place(price=1000)
    held = sale.hold(slot, 1, NOW)
    change = booking_change("bookings.hold", held, NOW)
    found = [*change.booking_ids, *change.slot_ids, *change.ticket_ids]
    assert found == [held.id, slot.id, slot.ticket_id]
