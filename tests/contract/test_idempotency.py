"""One effect and one answer for a repeated request, on every verb that takes a key."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.web.idempotency import Answer, Idempotency, KeyReused, Replayed
from tests.contract.builders import (
    NOW,
    make_idempotency,
    make_scan,
    make_schedule,
    make_ticket,
    make_voucher,
    planned,
)
from tests.contract.world import World
from ticketing_service.domain.catalogue import TicketQuery
from ticketing_service.domain.errors import Refused
from ticketing_service.domain.slots import SlotChange
from ticketing_service.storage.port import Store

Verb = Callable[[Idempotency | None], Any]


def _verbs(world: World) -> dict[str, Verb]:
    store, ticket, slot = world.store, world.ticket(), world.slot()
    voucher = store.vouchers.create(make_voucher())
    schedule = make_schedule(ticket)
    scan = make_scan(world.admission())
    return {
        "create a ticket": lambda key: store.catalogue.create(make_ticket(), idempotency=key),
        "replace a ticket": lambda key: store.catalogue.replace(ticket, 1, idempotency=key),
        "put a schedule": lambda key: store.slots.put_schedule(
            ticket, schedule, planned(ticket, schedule), NOW, idempotency=key
        ),
        "change a slot": lambda key: store.slots.change(
            slot.id, SlotChange(capacity=3), NOW, idempotency=key
        ),
        "cancel a slot": lambda key: store.slots.cancel(slot.id, "storm", "staff", NOW, idempotency=key),
        "create a voucher": lambda key: store.vouchers.create(make_voucher("Other"), idempotency=key),
        "replace a voucher": lambda key: store.vouchers.replace(voucher, 1, idempotency=key),
        "redeem": lambda key: store.admissions.redeem(scan, lambda _: "entry", NOW, idempotency=key),
        "add a task": lambda key: store.outbox.add("mail", {}, NOW, idempotency=key),
    }


NAMES = [
    "create a ticket",
    "replace a ticket",
    "put a schedule",
    "change a slot",
    "cancel a slot",
    "create a voucher",
    "replace a voucher",
    "redeem",
    "add a task",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_repetition_gets_the_first_answer_and_another_request_is_refused(world: World, name: str) -> None:
    verb = _verbs(world)[name]
    key = make_idempotency(request={"a": 1})
    result = verb(key)
    with pytest.raises(Replayed) as replayed:
        verb(key)
    assert replayed.value.answer == Answer(201, repr(result).encode(), (("Location", "/things/1"),))
    with pytest.raises(KeyReused):
        verb(make_idempotency(request={"a": 2}))


def test_a_refusal_leaves_no_key(store: Store) -> None:
    ticket, key = make_ticket(), make_idempotency()
    with pytest.raises(Refused):
        store.catalogue.replace(ticket, 1, idempotency=key)
    store.catalogue.create(ticket)
    assert store.catalogue.replace(ticket, 1, idempotency=key).version == 2


def test_an_answer_that_cannot_be_made_undoes_the_effect(store: Store) -> None:
    def render(_: Any) -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.catalogue.create(make_ticket(), idempotency=replace(make_idempotency(), render=render))
    assert store.catalogue.search(TicketQuery()).items == ()
    store.catalogue.create(make_ticket(), idempotency=make_idempotency())


def test_keys_of_other_callers_are_other_keys(store: Store) -> None:
    store.outbox.add("mail", {}, NOW, idempotency=make_idempotency())
    store.outbox.add("mail", {}, NOW, idempotency=replace(make_idempotency(), scope="another"))
    store.outbox.add("mail", {}, NOW, idempotency=make_idempotency("c" * 16))
    assert store.outbox.depth(NOW)[0] == 3


def test_of_equal_requests_at_the_same_time_one_has_an_effect(store: Store) -> None:
    def outcome(_: int) -> bool:
        try:
            store.outbox.add("mail", {}, NOW, idempotency=make_idempotency())
        except Replayed:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(outcome, range(16))).count(True) == 1
    assert len(store.outbox.claim(NOW, NOW + timedelta(minutes=1), 10)) == 1
