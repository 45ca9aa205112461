"""One scarce thing, wanted by 32 callers in four processes at the same moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from common.identifiers import uuid7
from tests.beneath import Beneath
from tests.contract.builders import NOW, make_admissions, make_option, make_voucher, plain_unit
from tests.contract.world import LIMITS, World
from tests.counts import counts
from tests.invariants import acts
from tests.invariants.checker import check, explain
from tests.invariants.crowd import CALLERS, Crowd
from ticketing_service.domain.bookings import Booking, Observation, PaymentState
from ticketing_service.domain.slots import Slot, SlotChange
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.payments import PaymentSession

ROUNDS = counts(10, 300)
FEW_ROUNDS = counts(3, 50)


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    made = Crowd()
    yield made
    made.close()


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


@pytest.fixture(autouse=True)
def _no_invariant_broke(database: Beneath) -> Iterator[None]:
    yield
    violations = check(database)
    assert not violations, explain(violations)


def _slots(world: World, rounds: int, capacity: int | None, price: int = 0) -> list[tuple[Slot, str]]:
    """A slot of `capacity` for each round, with its unit."""
    ticket = world.ticket(options=(make_option(plain_unit(price)),))
    world.schedule(ticket, days=rounds, capacity=capacity)
    return [(slot, str(ticket.options[0].units[0].id)) for slot in world.slots(ticket)]


def _rounds(world: World, rounds: int, capacity: int | None, **more: Any) -> list[dict[str, Any]]:
    return [
        {"slot": str(slot.id), "unit": unit, "key": uuid7().hex[::-1], **more}
        for slot, unit in _slots(world, rounds, capacity)
    ]


def _paid(world: World, quantity: int = 2) -> tuple[Booking, str]:
    """A hold with an open payment, and the module's id of it."""
    ((slot, _),) = _slots(world, 1, 10, price=1000)
    booking = world.hold(slot, quantity)
    payment = world.store.payments.open_attempt(booking.id, "http://localhost/", NOW)
    provider_id = f"pay-{payment.id}"
    session = PaymentSession(
        provider_id=provider_id,
        redirect_url="http://localhost/pay",
        session_ends_at=NOW + timedelta(minutes=20),
    )
    world.store.payments.opened(payment.id, session, NOW)
    return booking, provider_id


def _captured(world: World, quantity: int = 2) -> Booking:
    booking, provider_id = _paid(world, quantity)
    observation = Observation(
        provider_id=provider_id,
        resource_id=str(booking.id),
        state=PaymentState.CAPTURED,
        amount=booking.price.total,
        currency="EUR",
        captured=booking.price.total,
        refunded=0,
    )
    return world.store.payments.observe(booking.id, observation, {}, make_admissions, "module", NOW)


def _sold(told: list[str]) -> list[str]:
    """The bookings among the answers."""
    return [each for each in told if "-" in each]


def test_one_seat_wanted_by_all_at_once_is_sold_once_in_every_round(
    crowd: Crowd, world: World, store_url: str
) -> None:
    for told in crowd.rush(store_url, acts.hold, _rounds(world, ROUNDS, 1)):
        assert len(_sold(told)) == 1
        assert Counter(told)["SOLD_OUT"] == CALLERS - 1


def test_a_key_sent_by_all_at_once_has_one_effect_and_equal_answers(
    crowd: Crowd, world: World, store_url: str
) -> None:
    (only,) = _rounds(world, 1, 10)
    told = crowd.rush(store_url, acts.hold_under_one_key, [only] * 4)  # 128 posts
    answers = {each for round_ in told for each in round_}
    assert len(answers) == 1
    slot = world.store.slots.offers([acts.order(only).items[0].slot_id]).popitem()[1].slot
    assert (slot.counters[0].held, slot.counters[0].sold) == (1, 0)


def test_a_key_used_for_another_body_is_refused_to_all_but_one_body(
    crowd: Crowd, world: World, store_url: str
) -> None:
    for told in crowd.rush(store_url, acts.hold_other_under_one_key, _rounds(world, FEW_ROUNDS, 10)):
        # whichever came first has it
        refused = Counter(told)["KEY_REUSED"]
        assert refused in (1, CALLERS - 1)
        assert len(set(_sold(told))) == 1


def test_a_refused_request_leaves_its_key_free(crowd: Crowd, world: World, store_url: str) -> None:
    (only,) = _rounds(world, 1, 0)
    (told,) = crowd.rush(store_url, acts.hold_under_one_key, [only])
    assert set(told) == {"SOLD_OUT"}
    slot = world.store.slots.offers([acts.order(only).items[0].slot_id]).popitem()[1].slot
    world.store.slots.change(slot.id, SlotChange(capacity=1), NOW)
    (told,) = crowd.rush(store_url, acts.hold_under_one_key, [only])
    assert len(set(told)) == 1
    assert _sold(told) == told


def test_guest_holds_of_an_address_stop_at_the_limit_exactly(
    crowd: Crowd, world: World, store_url: str
) -> None:
    for told in crowd.rush(store_url, acts.hold_from_one_address, _rounds(world, FEW_ROUNDS, None)):
        assert len(_sold(told)) == LIMITS.per_address
        assert Counter(told)["TOO_MANY_HOLDS"] == CALLERS - LIMITS.per_address


def test_guest_holds_of_an_email_address_stop_at_the_limit_exactly(
    crowd: Crowd, world: World, store_url: str
) -> None:
    for told in crowd.rush(store_url, acts.hold_for_one_email, _rounds(world, FEW_ROUNDS, None)):
        assert len(_sold(told)) == LIMITS.per_email
        assert Counter(told)["TOO_MANY_HOLDS"] == CALLERS - LIMITS.per_email


def test_a_voucher_is_used_as_often_as_it_may_be_exactly(crowd: Crowd, world: World, store_url: str) -> None:
    world.store.vouchers.create(make_voucher("SCARCE", max_uses=7))
    (told,) = crowd.rush(store_url, acts.hold_with_voucher, _rounds(world, 1, None, voucher="SCARCE"))
    assert len(_sold(told)) == 7
    assert Counter(told)["VOUCHER_EXHAUSTED"] == CALLERS - 7


def test_a_customer_uses_a_voucher_as_often_as_one_may_exactly(
    crowd: Crowd, world: World, store_url: str
) -> None:
    world.store.vouchers.create(make_voucher("MINE", max_uses=None, max_uses_per_customer=2))
    (told,) = crowd.rush(
        store_url, acts.hold_with_voucher_as_one_customer, _rounds(world, 1, None, voucher="MINE")
    )
    assert len(_sold(told)) == 2
    assert Counter(told)["VOUCHER_EXHAUSTED"] == CALLERS - 2


def test_a_webhook_delivered_many_times_at_once_confirms_once(
    crowd: Crowd, world: World, store_url: str
) -> None:
    booking, payment = _paid(world)
    round_ = {"booking": str(booking.id), "payment": payment, "amount": booking.price.total}
    (told,) = crowd.rush(store_url, acts.tell_captured, [round_])
    assert set(told) == {"confirmed"}
    assert len(world.store.admissions.of_booking(booking.id)) == 2
    confirmed = [row for row in world.store.bookings.history(booking.id) if row.to_status == "confirmed"]
    assert len(confirmed) == 1


def test_a_booking_cancelled_by_all_at_once_is_refunded_once(
    crowd: Crowd, world: World, store_url: str
) -> None:
    booking = _captured(world)
    (told,) = crowd.rush(store_url, acts.cancel, [{"booking": str(booking.id)}])
    assert set(told) == {"cancelled"}
    after = world.store.bookings.get(booking.id)
    assert after is not None
    assert [refund.amount for refund in after.refunds] == [booking.price.total]


def test_a_unit_item_cancelled_by_all_at_once_is_refunded_once(
    crowd: Crowd, world: World, store_url: str
) -> None:
    booking = _captured(world, 3)
    unit = booking.unit_items[0]
    round_ = {"booking": str(booking.id), "unit_item": str(unit.id)}
    (told,) = crowd.rush(store_url, acts.cancel_one_unit, [round_])
    assert Counter(told) == {"confirmed": 1, "UNIT_ITEM_NOT_CANCELLABLE": CALLERS - 1}
    after = world.store.bookings.get(booking.id)
    assert after is not None
    assert [refund.amount for refund in after.refunds] == [unit.paid]


def test_a_hold_is_either_confirmed_or_expired_when_both_are_tried_at_once(
    crowd: Crowd, world: World, store_url: str
) -> None:
    rounds = []
    for slot, _ in _slots(world, FEW_ROUNDS, 1):
        rounds.append({"booking": str(world.hold(slot).id)})
    for round_, told in zip(rounds, crowd.rush(store_url, acts.confirm_or_expire, rounds), strict=True):
        answers = {each for each in told if each != "swept"}
        assert answers in ({"confirmed"}, {"BOOKING_EXPIRED"}), round_


def test_an_entry_right_is_used_once_when_all_gates_scan_it_at_once(
    crowd: Crowd, world: World, store_url: str
) -> None:
    admission = world.admission()
    (told,) = crowd.rush(store_url, acts.scan, [{"admission": str(admission.id), "key": uuid7().hex}])
    assert Counter(told)["ALREADY_REDEEMED"] == CALLERS - 1
