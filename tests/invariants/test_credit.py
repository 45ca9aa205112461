"""A reseller's credit, wanted by 32 callers in four processes at the same moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from common.identifiers import uuid7
from tests.beneath import Beneath
from tests.contract.builders import make_option, make_reseller, plain_unit
from tests.contract.world import World
from tests.invariants import acts
from tests.invariants.checker import check, explain
from tests.invariants.crowd import CALLERS, Crowd
from ticketing_service.domain.resellers import Credit, Reseller
from ticketing_service.domain.slots import Slot
from ticketing_service.storage.port import Store

PRICE, NET, AFFORDED = 1000, 800, 7


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    with closing(Crowd()) as made:
        yield made


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


@pytest.fixture
def slot(world: World) -> Slot:
    return world.slot(world.ticket(options=(make_option(plain_unit(PRICE)),)), capacity=None)


def _reseller(store: Store, limit: int) -> Reseller:
    credit = (Credit(currency="EUR", limit=limit),)
    return store.resellers.create(make_reseller(max_holds=100, net_basis_points=8000, credit=credit))


def _round(store: Store, slot: Slot, reseller: Reseller) -> dict[str, Any]:
    offer = store.slots.offers([slot.id])[slot.id]
    unit = offer.ticket.options[0].units[0].id
    return {"slot": str(slot.id), "unit": str(unit), "key": uuid7().hex[::-1], "reseller": str(reseller.id)}


def _used(store: Store, reseller: Reseller) -> int:
    found = store.resellers.get(reseller.id)
    assert found is not None
    return found.credit[0].used


def test_a_credit_is_never_overrun(
    crowd: Crowd, store: Store, slot: Slot, store_url: str, database: Beneath
) -> None:
    # one cent is missing for one more
    reseller = _reseller(store, (AFFORDED + 1) * NET - 1)
    (told,) = crowd.rush(store_url, acts.hold_on_credit, [_round(store, slot, reseller)])
    assert Counter(told)["CREDIT_EXHAUSTED"] == CALLERS - AFFORDED
    assert _used(store, reseller) == AFFORDED * NET
    violations = check(database)
    assert not violations, explain(violations)


def test_what_is_sold_is_owed_and_what_is_given_back_is_not(
    crowd: Crowd, world: World, slot: Slot, store_url: str, database: Beneath
) -> None:
    store, reseller = world.store, _reseller(world.store, CALLERS * NET)
    bookings = [str(world.hold(slot, reseller=reseller).id) for _ in range(CALLERS)]
    assert _used(store, reseller) == CALLERS * NET
    (told,) = crowd.rush(store_url, acts.confirm_or_cancel_on_credit, [{"bookings": bookings}])
    assert Counter(told) == {"confirmed": CALLERS // 2, "cancelled": CALLERS // 2}
    assert _used(store, reseller) == CALLERS // 2 * NET
    violations = check(database)
    assert not violations, explain(violations)


@pytest.mark.parametrize(
    "store_url", ["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)], indirect=True
)
def test_without_the_guard_it_is_overrun_and_the_checker_says_so(
    store: Store, slot: Slot, store_url: str, database: Beneath
) -> None:
    reseller = _reseller(store, AFFORDED * NET)
    with closing(Crowd()) as unguarded:
        act = acts.hold_on_credit_without_the_guard
        (told,) = unguarded.rush(store_url, act, [_round(store, slot, reseller)])
    assert Counter(told)["CREDIT_EXHAUSTED"] == 0
    assert _used(store, reseller) == CALLERS * NET
    assert {violation.invariant for violation in check(database)} == {"oversold"}
