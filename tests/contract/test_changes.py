"""What a store tells of its verbs once they are committed: to metrics and caches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from common.database.unavailable import StoreUnavailable
from common.identifiers import uuid7
from common.web.idempotency import Replayed
from tests.contract.builders import (
    FIRST_DAY,
    NOW,
    make_admissions,
    make_idempotency,
    make_reseller,
    make_voucher,
)
from tests.contract.conftest import ListenerFailed, fail
from tests.contract.hearing import Heard, bare, heard, sale
from tests.faults.sale import AFTER, Sale
from ticketing_service.domain.bookings import Booking, PaymentState
from ticketing_service.domain.catalogue import TicketQuery, TicketType
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.storage.changes import Change, Outcome, Return
from ticketing_service.storage.changes import Sale as Sold
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.bookings import Amendment, BookingQuery
from ticketing_service.storage.ports.ledger import RevenueQuery

__all__ = ["bare", "heard", "sale"]

HELD, LATER = {Outcome.CREATED: 1}, NOW + timedelta(minutes=1)


def of(verb: str, booking: Booking, **more: Any) -> Change:
    return Change(
        verb=verb,
        booking_ids=frozenset({booking.id}),
        ticket_ids=frozenset(item.ticket_id for item in booking.items),
        slot_ids=frozenset(item.slot_id for item in booking.items),
        **more,
    )


def expired(count: int) -> Change:
    return Change(verb="bookings.expire", outcomes={Outcome.EXPIRED: count}, anywhere=True)


def sold(amount: int) -> tuple[Sold, ...]:
    return (Sold("EUR", TicketType.SINGLE, amount),)


def back(amount: int) -> tuple[Return, ...]:
    return (Return("EUR", amount),)


def test_a_hold_is_told_once_however_often_it_is_asked_for(sale: Sale, heard: Heard) -> None:
    slot = sale.place(2)
    heard.taken()
    held = sale.hold(slot)
    assert heard.taken() == [of("bookings.hold", held, outcomes=HELD)]
    key = make_idempotency()
    first = sale.store.bookings.confirm_free(held.id, make_admissions, "test", LATER, idempotency=key)
    assert heard.taken() == [of("bookings.confirm_free", first, outcomes={Outcome.CONFIRMED: 1})]
    with pytest.raises(Replayed):
        sale.store.bookings.confirm_free(held.id, make_admissions, "test", AFTER, idempotency=key)
    assert heard.taken() == []


def test_a_refusal_for_want_of_places_is_told_and_no_other(sale: Sale, heard: Heard) -> None:
    one, other = sale.place(1), sale.place(1)
    sale.hold(one)
    held = sale.hold(other)
    heard.taken()
    assert sale.refusal(one) is Code.SOLD_OUT
    lost = frozenset({one.id})
    assert heard.taken() == [
        Change(verb="bookings.hold", slot_ids=lost, outcomes={Outcome.SOLD_OUT: 1}, sold_out=True)
    ]
    with pytest.raises(Refused, match="SOLD_OUT"):
        sale.amend(held, one, 1)
    assert heard.taken() == [Change(verb="bookings.amend", sold_out=True)]
    assert sale.refusal(other, now=NOW + timedelta(days=60)) is Code.CUTOFF_PASSED
    with pytest.raises(Refused, match="BOOKING_NOT_FOUND"):
        sale.store.bookings.confirm_free(uuid7(), make_admissions, "test", NOW)
    assert heard.taken() == []


def test_exchanged_places_are_told_of_both_tickets(sale: Sale, heard: Heard) -> None:
    first, second = sale.place(5), sale.place(5)
    held = sale.hold(first)
    heard.taken()
    amended = sale.amend(held, second, 2, LATER)
    # what was given back is not in the answer, so all places count as changed
    assert heard.taken() == [of("bookings.amend", amended, anywhere=True)]
    assert first.ticket_id not in {item.ticket_id for item in amended.items}
    contact = Amendment(contact={"name": "Bea"})
    sale.store.bookings.amend(held.id, contact, lambda offers, voucher: pytest.fail("priced"), "test", LATER)
    assert heard.taken() == []


def test_a_free_booking_is_confirmed_and_cancelled_once(sale: Sale, heard: Heard) -> None:
    held = sale.hold(sale.place())
    heard.taken()
    confirmed = sale.confirm(held, LATER)
    assert heard.taken() == [of("bookings.confirm_free", confirmed, outcomes={Outcome.CONFIRMED: 1})]
    sale.confirm(held, LATER + timedelta(seconds=1))
    assert heard.taken() == [of("bookings.confirm_free", confirmed)]
    sale.cancel(held, LATER + timedelta(seconds=2))
    assert heard.taken() == [of("bookings.cancel", held, outcomes={Outcome.CANCELLED: 1})]
    sale.cancel(held, LATER + timedelta(seconds=3))
    assert heard.taken() == [of("bookings.cancel", held)]


def test_money_that_goes_back_is_told_once(sale: Sale, heard: Heard) -> None:
    booking, _ = sale.paid(sale.place(5, price=1000), 3)
    heard.taken()
    sale.cancel(booking, LATER, units=1)
    assert heard.taken() == [of("bookings.cancel", booking, refunds=back(1000))]
    later = LATER + timedelta(seconds=1)
    sale.cancel(booking, later)
    assert heard.taken() == [
        of("bookings.cancel", booking, outcomes={Outcome.CANCELLED: 1}, refunds=back(2000))
    ]


def test_a_test_counts_for_nothing(sale: Sale, heard: Heard) -> None:
    slot = sale.place(2)
    heard.taken()
    test: dict[str, Any] = {"reseller": make_reseller(), "is_test": True}
    held = sale.hold(slot, **test)
    sale.confirm(held, LATER)
    sale.hold(slot, **test)
    assert sale.refusal(slot, 3, **test) is Code.SOLD_OUT
    sale.store.bookings.expire_due(AFTER, 10)
    verbs = ["bookings.hold", "bookings.confirm_free", "bookings.hold"]
    told = heard.taken()
    assert [(change.verb, change.outcomes, change.sales) for change in told] == [
        (verb, {}, ()) for verb in verbs
    ]


def test_the_sweep_tells_how_many_have_expired(sale: Sale, heard: Heard) -> None:
    slot = sale.place(5)
    for _ in range(3):
        sale.hold(slot)
    heard.taken()
    assert sale.store.bookings.expire_due(AFTER, 2) == 2
    assert sale.store.bookings.expire_due(AFTER, 2) == 1
    assert sale.store.bookings.expire_due(AFTER, 2) == 0
    assert heard.taken() == [expired(2), expired(1)]


def test_what_expires_inside_another_verb_is_told_too(sale: Sale, heard: Heard) -> None:
    slot = sale.place(1)
    sale.hold(slot)
    heard.taken()
    held = sale.hold(slot, now=AFTER)
    assert heard.taken() == [expired(1), of("bookings.hold", held, outcomes=HELD)]


def test_what_expired_in_a_verb_that_was_refused_has_not_expired(sale: Sale, heard: Heard) -> None:
    slot = sale.place(1)
    held = sale.hold(slot)
    heard.taken()
    assert sale.refusal(slot, 2, AFTER) is Code.SOLD_OUT
    assert [change.outcomes for change in heard.taken()] == [{Outcome.SOLD_OUT: 1}]
    assert sale.now_of(held).status.value == "on_hold"


def test_a_payment_is_told_as_what_it_brings_about(sale: Sale, heard: Heard) -> None:
    held = sale.hold(sale.place(5, price=1000), 2)
    payment = sale.open_payment(held)
    heard.taken()
    moments = [NOW + timedelta(minutes=minute) for minute in range(1, 6)]
    sale.tell(held, payment, PaymentState.PENDING, moments[0])
    sale.tell(held, payment, PaymentState.AUTHORIZED, moments[1])
    sale.tell(held, payment, PaymentState.CAPTURED, moments[2])
    sale.tell(held, payment, PaymentState.CAPTURED, moments[3])
    sale.tell(held, payment, PaymentState.REFUNDED, moments[4])
    verb = "payments.observe"
    assert heard.taken() == [
        of(verb, held),
        of(verb, held, outcomes={Outcome.CONFIRMED: 1}, sales=sold(2000)),
        of(verb, held),
        of(verb, held),
        of(verb, held, refunds=back(2000)),
    ]


def test_a_declined_payment_is_told_once(sale: Sale, heard: Heard) -> None:
    held = sale.hold(sale.place(5, price=1000))
    payment = sale.open_payment(held)
    heard.taken()
    for minute in (1, 2):
        sale.tell(held, payment, PaymentState.FAILED, NOW + timedelta(minutes=minute))
    assert heard.taken() == [
        of("payments.observe", held, outcomes={Outcome.FAILED: 1}),
        of("payments.observe", held),
    ]


def test_a_late_payment_of_a_hold_that_nobody_swept_counts_one_expiry(sale: Sale, heard: Heard) -> None:
    held = sale.hold(sale.place(1, price=1000))
    payment = sale.open_payment(held)
    heard.taken()
    sale.tell(held, payment, PaymentState.CAPTURED, AFTER)
    assert heard.taken() == [
        expired(1),
        of("payments.observe", held, outcomes={Outcome.CONFIRMED: 1}, sales=sold(1000)),
    ]


def test_a_late_payment_without_places_goes_back(sale: Sale, heard: Heard) -> None:
    slot = sale.place(1, price=1000)
    held = sale.hold(slot)
    payment = sale.open_payment(held)
    sale.hold(slot, now=AFTER)
    heard.taken()
    sale.tell(held, payment, PaymentState.CAPTURED, AFTER + timedelta(seconds=1))
    assert heard.taken() == [of("payments.observe", held, refunds=back(1000))]


def test_a_capture_that_is_refused_cancels_once(sale: Sale, heard: Heard) -> None:
    held = sale.hold(sale.place(1, price=1000))
    payment = sale.open_payment(held)
    sale.tell(held, payment, PaymentState.AUTHORIZED, NOW)
    heard.taken()
    for minute in (1, 2):
        sale.store.payments.capture_refused(payment.id, "no funds", NOW + timedelta(minutes=minute))
    assert heard.taken() == [
        of("payments.capture_refused", held, outcomes={Outcome.CANCELLED: 1}),
        of("payments.capture_refused", held),
    ]


def test_reads_and_what_nobody_follows_tell_nothing(sale: Sale, heard: Heard) -> None:
    slot = sale.place(5, price=1000)
    booking, payment = sale.paid(slot)
    held = sale.hold(slot)
    heard.taken()
    store, day = sale.store, FIRST_DAY
    store.catalogue.ticket(slot.ticket_id)
    store.catalogue.search(TicketQuery(words=("tower",)))
    store.catalogue.pois([])
    store.slots.between(slot.ticket_id, day, day)
    store.slots.offers([slot.id])
    store.slots.schedule(slot.ticket_id)
    store.bookings.get(booking.id)
    store.bookings.by_reference(booking.reference)
    store.bookings.search(BookingQuery())
    store.bookings.history(booking.id)
    store.bookings.extend(held.id, lambda found: AFTER, NOW)
    store.bookings.mark_no_shows(NOW, 10)
    store.payments.get(payment.id)
    store.payments.of_booking(booking.id)
    store.payments.unsettled(NOW, 10)
    store.admissions.of_booking(booking.id)
    store.vouchers.create(make_voucher())
    store.ledger.revenue(RevenueQuery(day_from=day, day_to=day))
    store.outbox.claim(NOW, LATER, 10)
    assert heard.taken() == []


def test_nothing_is_told_before_the_commit(sale: Sale, heard: Heard) -> None:
    slot = sale.place(2, price=1000)
    held = sale.hold(slot)
    heard.taken()
    payment = sale.open_payment(held)
    heard.asked = lambda: [sale.now_of(held).status.value]
    sale.tell(held, payment, PaymentState.AUTHORIZED, NOW)
    sale.cancel(held, LATER)
    assert heard.shown == [["confirmed"], ["cancelled"]]
    other = sale.hold(slot, 2)
    heard.taken()
    heard.asked = lambda: [sale.now_of(other).status.value]
    sale.hold(slot, 2, now=AFTER)
    assert heard.shown == [["expired"], ["expired"]]


def test_a_listener_that_fails_is_heard_of_by_nobody(sale: Sale, heard: Heard, bare: Store) -> None:
    with pytest.raises(ListenerFailed):
        fail(Change(verb="bookings.hold"))
    held = sale.hold(sale.place(1))  # told to the one that fails first
    assert heard.taken()[-1].booking_ids == {held.id}
    assert bare.bookings.get(held.id) == held


def test_a_change_that_cannot_be_told_may_have_been_anything(
    sale: Sale, heard: Heard, bare: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = sale.hold(sale.place(1, price=1000))
    payment = sale.open_payment(held)
    heard.taken()

    def away(_: UUID) -> None:
        raise ConnectionError

    monkeypatch.setattr(bare.bookings, "history", away)
    assert sale.tell(held, payment, PaymentState.AUTHORIZED, NOW).status.value == "confirmed"
    assert heard.taken() == [Change(verb="payments.observe", anywhere=True)]


def test_a_payment_whose_history_cannot_be_read_may_have_changed_its_own_places_alone(
    sale: Sale, heard: Heard, bare: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = sale.hold(sale.place(1, price=1000))
    payment = sale.open_payment(held)
    heard.taken()

    def away(_: UUID) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(bare.bookings, "history", away)
    assert sale.tell(held, payment, PaymentState.AUTHORIZED, NOW).status.value == "confirmed"
    (told,) = heard.taken()
    assert told.ticket_ids == {item.ticket_id for item in held.items}
    assert not told.anywhere
