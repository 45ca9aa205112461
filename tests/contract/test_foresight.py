"""A sale worked out ahead is only kept while slot and ticket are as they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from common.web.idempotency import Answer, Replayed
from tests.contract.builders import NOW, make_idempotency, make_option, make_order, plain_unit
from tests.contract.world import LIMITS, World, pricing
from ticketing_service.domain.catalogue import TicketStatus
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.orders import Offer
from ticketing_service.domain.slots import Slot, SlotChange


def _sold_before(world: World) -> Slot:
    """A slot for 10.00 that this process has sold, and so knows."""
    ticket = world.ticket(options=(make_option(plain_unit(1000)),))
    slot = world.slot(ticket)
    assert world.hold(slot).price.items == 1000
    return slot


def test_another_multiplier_is_the_price_of_the_next_sale(world: World) -> None:
    slot = _sold_before(world)
    world.store.slots.change(slot.id, SlotChange(multiplier=Decimal("2")), NOW)
    assert world.hold(slot).price.items == 2000


def test_a_slot_that_was_closed_is_not_sold_any_more(world: World) -> None:
    slot = _sold_before(world)
    world.store.slots.change(slot.id, SlotChange(closed=True), NOW)
    with pytest.raises(Refused) as refused:
        world.hold(slot)
    assert refused.value.code is Code.SLOT_CLOSED


def test_a_slot_that_was_opened_again_is_sold(world: World) -> None:
    slot = _sold_before(world)
    world.store.slots.change(slot.id, SlotChange(closed=True), NOW)
    with pytest.raises(Refused):
        world.hold(slot)
    world.store.slots.change(slot.id, SlotChange(closed=False), NOW)
    assert world.hold(slot).price.items == 1000


def test_a_ticket_that_was_archived_is_not_sold_any_more(world: World) -> None:
    slot = _sold_before(world)
    ticket = world.store.catalogue.ticket(slot.ticket_id)
    assert ticket is not None
    world.store.catalogue.replace(replace(ticket, status=TicketStatus.ARCHIVED), ticket.version)
    with pytest.raises(Refused) as refused:
        world.hold(slot)
    assert refused.value.code is Code.TICKET_NOT_ON_SALE


def test_what_became_of_a_booking_is_told_with_what_is_on_offer_now(world: World) -> None:
    slot = _sold_before(world)
    booking = world.hold(slot)
    store = world.store

    def told() -> Offer:
        now = store.slots.offers([slot.id])[slot.id]
        assert store.bookings.courses([booking])[booking.id].offer == now
        return now

    assert told().slot.counters[0].held == 2
    world.hold(slot)
    assert told().slot.counters[0].held == 3
    store.slots.change(slot.id, SlotChange(multiplier=Decimal("2"), closed=True), NOW)
    assert told().slot.multiplier == 2
    ticket = store.catalogue.ticket(slot.ticket_id)
    assert ticket is not None
    store.catalogue.replace(replace(ticket, status=TicketStatus.ARCHIVED), ticket.version)
    assert told().ticket.status is TicketStatus.ARCHIVED


@pytest.mark.parametrize("multiplier, price", [(None, 1000), (Decimal("3"), 3000)])
def test_the_answer_kept_under_a_key_is_that_of_the_sale_made(
    world: World, multiplier: Decimal | None, price: int
) -> None:
    slot = _sold_before(world)
    if multiplier is not None:
        world.store.slots.change(slot.id, SlotChange(multiplier=multiplier), NOW)
    key = replace(make_idempotency(), render=lambda booking: Answer(201, b"%d" % booking.price.items, ()))
    ticket = world.store.catalogue.ticket(slot.ticket_id)
    assert ticket is not None
    order = make_order((slot.id, ticket.options[0].units[0].id, 1))
    ends = NOW + timedelta(minutes=15)
    held = world.store.bookings.hold(order, pricing(order), LIMITS, ends, NOW, idempotency=key)
    assert held.price.items == price
    with pytest.raises(Replayed) as replayed:
        world.store.bookings.hold(order, pricing(order), LIMITS, ends, NOW, idempotency=key)
    assert replayed.value.answer.body == b"%d" % price
