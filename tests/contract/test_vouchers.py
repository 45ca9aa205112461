"""Vouchers: codes, versions, and the count of their uses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from marshmallow import ValidationError

from common.identifiers import uuid7
from tests.beneath import Beneath
from tests.contract.builders import make_voucher
from tests.contract.world import World
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.port import Store


@pytest.fixture
def voucher(store: Store) -> Voucher:
    return store.vouchers.create(make_voucher("Summer"))


def _use(world: World, times: int) -> None:
    slot = world.slot()
    for _ in range(times):
        world.hold(slot, voucher_code="SUMMER")


def test_a_voucher_comes_back_with_its_code_in_capitals(store: Store) -> None:
    made = make_voucher(
        " winter-26 ",
        percent_basis_points=None,
        amount=500,
        currency="EUR",
        ticket_ids=(uuid7(), uuid7()),
        max_uses=None,
        max_uses_per_customer=2,
    )
    stored = store.vouchers.create(made)
    assert stored == replace(made, code="WINTER-26")
    assert store.vouchers.get(made.id) == stored
    assert store.vouchers.by_code("wInter-26") == stored


def test_what_is_not_known_is_none(store: Store, database: Beneath) -> None:
    assert store.vouchers.get(uuid7()) is None
    assert store.vouchers.by_code("NONE") is None
    assert database.voucher("NONE") is None


def test_a_code_is_taken_in_any_letter_case(store: Store, voucher: Voucher) -> None:
    with pytest.raises(Refused) as refused:
        store.vouchers.create(make_voucher("sUMMER"))
    assert (refused.value.code, refused.value.pointer) == (Code.VOUCHER_CODE_TAKEN, "/code")
    other = store.vouchers.create(make_voucher("Other"))
    with pytest.raises(Refused) as refused:
        store.vouchers.replace(replace(other, code="summer"), 1)
    assert refused.value.code is Code.VOUCHER_CODE_TAKEN
    assert store.vouchers.get(other.id) == other


def test_standing_holds_and_sales_count_as_uses(world: World, voucher: Voucher) -> None:
    _use(world, 2)
    assert world.store.vouchers.by_code("summer") == replace(voucher, used=2)


def test_a_replaced_voucher_has_the_next_version_and_keeps_its_uses(world: World, voucher: Voucher) -> None:
    _use(world, 2)
    changed = replace(voucher, percent_basis_points=2500, active=False, max_uses=9, used=0)
    stored = world.store.vouchers.replace(changed, 1)
    assert stored == replace(changed, version=2, used=2)
    assert world.store.vouchers.get(voucher.id) == stored


def test_a_limit_does_not_fall_below_the_uses_taken(world: World, voucher: Voucher) -> None:
    _use(world, 3)
    with pytest.raises(Refused) as refused:
        world.store.vouchers.replace(replace(voucher, max_uses=2, active=False), 1)
    assert refused.value.code is Code.VOUCHER_BELOW_USED
    assert refused.value.facts == {"used": 3}
    assert world.store.vouchers.get(voucher.id) == replace(voucher, used=3)
    assert world.store.vouchers.replace(replace(voucher, max_uses=3), 1).max_uses == 3
    assert world.store.vouchers.replace(replace(voucher, max_uses=None), 2).max_uses is None


def test_an_old_version_or_an_unknown_voucher_cannot_be_replaced(store: Store, voucher: Voucher) -> None:
    store.vouchers.replace(voucher, 1)
    with pytest.raises(Refused) as refused:
        store.vouchers.replace(replace(voucher, active=False), 1)
    assert (refused.value.code, refused.value.facts) == (Code.VERSION_CONFLICT, {"version": 2})
    with pytest.raises(Refused) as refused:
        store.vouchers.replace(make_voucher("Other"), 1)
    assert refused.value.code is Code.VOUCHER_NOT_FOUND


def test_pages_show_the_newest_first_and_each_once(store: Store) -> None:
    made = [store.vouchers.create(make_voucher(f"code-{number}")) for number in range(5)]
    first = store.vouchers.page(3, None)
    second = store.vouchers.page(3, first.next_cursor)
    assert (*first.items, *second.items) == tuple(reversed(made))
    assert second.next_cursor is None
    with pytest.raises(ValidationError):
        store.vouchers.page(3, "rubbish")
