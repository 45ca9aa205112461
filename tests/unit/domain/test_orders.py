"""What may be booked together, and which field of the request is at fault when it may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from common.refusals import RefusalCode
from tests.unit.domain.builders import NOW, POLICY, offer, option, order, ticket, uid, unit, voucher
from ticketing_service.domain.catalogue import TicketStatus
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.pricing import ItemOrder, Offer, UnitQuantity, price_booking
from ticketing_service.domain.slots import SlotStatus
from ticketing_service.domain.vouchers import Voucher

RESTRICTED = ticket(
    options=[
        option(
            "standard",
            [
                unit("adult", 1000),
                unit("child", 500, accompanied_by=(uid("adult"), uid("senior"))),
                unit("baby", 0, pax=0),
                unit("senior", 800),
                unit("pair", 1500, min_quantity=2, max_quantity=4),
            ],
            min_units=2,
            max_units=8,
        )
    ]
)


def _refusal(
    orders: list[ItemOrder], offers: list[Offer], used: Voucher | None = None
) -> tuple[RefusalCode, str | None]:
    with pytest.raises(Refused) as refused:
        price_booking(orders, offers, used, POLICY, NOW)
    return refused.value.code, refused.value.pointer


@pytest.mark.parametrize(
    "quantities, code, pointer",
    [
        ({"ghost": 1}, Code.UNKNOWN_UNIT, "/items/0/units/0/unitId"),
        ({"adult": 0}, Code.TOO_FEW_UNITS, "/items/0/units/0/quantity"),
        ({"adult": 2, "senior": -1}, Code.TOO_FEW_UNITS, "/items/0/units/1/quantity"),
        ({}, Code.TOO_FEW_UNITS, "/items/0/units"),
        ({"adult": 1}, Code.TOO_FEW_UNITS, "/items/0/units"),
        ({"adult": 9}, Code.TOO_MANY_UNITS, "/items/0/units/0/quantity"),
        ({"adult": 5, "senior": 4}, Code.TOO_MANY_UNITS, "/items/0/units"),
        ({"child": 2}, Code.UNIT_RESTRICTED, "/items/0/units/0/unitId"),
        ({"adult": 1, "pair": 1}, Code.UNIT_RESTRICTED, "/items/0/units/1/quantity"),
        ({"pair": 5}, Code.UNIT_RESTRICTED, "/items/0/units/0/quantity"),
        ({"baby": 2}, Code.UNIT_RESTRICTED, "/items/0/units"),
    ],
)
def test_an_order_beyond_the_limits_names_the_field(
    quantities: dict[str, int], code: Code, pointer: str
) -> None:
    offered = offer(RESTRICTED)
    assert _refusal([order(offered, **quantities)], [offered]) == (code, pointer)


@pytest.mark.parametrize("quantities", [{"adult": 2}, {"adult": 8}, {"child": 1, "senior": 1}, {"pair": 4}])
def test_an_order_at_the_limits_is_accepted(quantities: dict[str, int]) -> None:
    offered = offer(RESTRICTED)
    priced = price_booking([order(offered, **quantities)], [offered], None, POLICY, NOW)
    assert len(priced.items[0].units) == sum(quantities.values())


def test_a_unit_named_twice_in_an_item_is_refused() -> None:
    offered = offer()
    twice = ItemOrder(offered.slot.id, (UnitQuantity(uid("adult"), 1), UnitQuantity(uid("adult"), 1)))
    assert _refusal([twice], [offered]) == (Code.UNIT_RESTRICTED, "/items/0/units/1/unitId")


def test_nothing_at_all_is_refused() -> None:
    assert _refusal([], []) == (Code.TOO_FEW_UNITS, "/items")


def test_the_policy_limits_an_item_to_ten_and_a_booking_to_twenty() -> None:
    wide = offer(ticket(options=[option("standard", [unit("adult", 100)], max_units=50)]))
    assert _refusal([order(wide, adult=11)], [wide])[0] is Code.TOO_MANY_UNITS
    ten = order(wide, adult=10)
    assert price_booking([ten, ten], [wide, wide], None, POLICY, NOW).people == (10, 10)
    assert _refusal([ten, ten, order(wide, adult=1)], [wide] * 3) == (Code.TOO_MANY_UNITS, "/items")


@pytest.mark.parametrize(
    "bad, code",
    [
        (offer(ticket(status=TicketStatus.DRAFT)), Code.TICKET_NOT_ON_SALE),
        (offer(ticket(status=TicketStatus.ARCHIVED)), Code.TICKET_NOT_ON_SALE),
        (offer(status=SlotStatus.CLOSED), Code.SLOT_CLOSED),
        (offer(status=SlotStatus.CANCELLED), Code.SLOT_CLOSED),
        (offer(sales_end_at=NOW), Code.CUTOFF_PASSED),
        (offer(option_id=uid("gone")), Code.UNKNOWN_OPTION),
        (offer(ticket(currency="USD")), Code.MIXED_CURRENCIES),
    ],
    ids=lambda value: value.name if isinstance(value, Code) else "",
)
def test_what_is_not_on_sale_names_the_slot_of_its_item(bad: Offer, code: Code) -> None:
    good = offer()
    orders = [order(good, adult=1), order(bad, adult=1)]
    assert _refusal(orders, [good, bad]) == (code, "/items/1/slotId")


def test_sales_go_on_until_just_before_the_cutoff() -> None:
    offered = offer(sales_end_at=NOW + timedelta(milliseconds=1))
    assert price_booking([order(offered, adult=1)], [offered], None, POLICY, NOW).people == (1,)


@pytest.mark.parametrize(
    "bad",
    [
        voucher(active=False),
        voucher(valid_from=NOW + timedelta(milliseconds=1)),
        voucher(valid_until=NOW),
        voucher(ticket_ids=(uid("another"),)),
        voucher(percent_basis_points=None, amount=100, currency="USD"),
    ],
    ids=["inactive", "early", "late", "other ticket", "other currency"],
)
def test_a_voucher_that_is_not_good_here_is_refused(bad: Voucher) -> None:
    offered = offer()
    wanted = [order(offered, adult=1)]
    assert _refusal(wanted, [offered], bad) == (Code.VOUCHER_NOT_VALID, "/voucherCode")
    good = replace(voucher(), valid_from=NOW)
    assert price_booking(wanted, [offered], good, POLICY, NOW).price.discount == 125
