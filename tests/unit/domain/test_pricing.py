"""Prices: the golden table, and what holds for every sale."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain.builders import NOW, POLICY, offer, option, order, ticket, unit, voucher
from ticketing_service.domain.catalogue import Tax, TicketType
from ticketing_service.domain.money import half_up, scaled, share_of, spread, tax_contained
from ticketing_service.domain.pricing import ItemOrder, Offer, PricedBooking, SalePolicy, price_booking
from ticketing_service.domain.vouchers import Voucher

GOLDEN = json.loads(Path(__file__).with_name("golden_prices.json").read_text(encoding="utf-8"))


def _golden_sale(case: dict[str, Any]) -> tuple[list[ItemOrder], list[Offer], Voucher | None]:
    orders, offers = [], []
    for index, item in enumerate(case["items"]):
        units = [unit(name, price) for name, price in item["prices"].items()]
        group_price = item.get("groupPrice")
        sold = ticket(
            item["ticket"],
            [option(f"{item['ticket']} option", units, price=group_price)],
            type=TicketType.SINGLE if group_price is None else TicketType.GROUP,
            taxes=tuple(Tax(name, rate) for name, rate in item.get("taxes", {"VAT": 900}).items()),
            commission_basis_points=item.get("commission", 800),
        )
        offers.append(offer(sold, name=f"slot {index}", multiplier=item.get("multiplier", "1")))
        orders.append(order(offers[-1], **item["quantities"]))
    terms = case.get("voucher")
    if terms is None:
        return orders, offers, None
    only = tuple(ticket(name).id for name in terms.get("tickets", []))
    percent, amount = terms.get("percentBasisPoints"), terms.get("amount")
    currency = None if amount is None else "EUR"
    return (
        orders,
        offers,
        voucher(percent_basis_points=percent, amount=amount, currency=currency, ticket_ids=only),
    )


@pytest.mark.parametrize("case", GOLDEN, ids=[case["name"] for case in GOLDEN])
def test_the_price_is_the_one_in_the_golden_table(case: dict[str, Any]) -> None:
    orders, offers, used = _golden_sale(case)
    policy = replace(POLICY, fee=case.get("fee", POLICY.fee))
    priced = price_booking(orders, offers, used, policy, NOW)
    price = priced.price
    assert {
        "items": price.items,
        "discount": price.discount,
        "fee": price.fee,
        "total": price.total,
        "taxes": {f"{tax.name} {tax.rate_basis_points}": tax.amount for tax in price.included_taxes},
        "units": [[[u.price, u.discount, u.commission] for u in item.units] for item in priced.items],
    } == case["expected"]


def test_halves_are_rounded_up() -> None:
    assert [half_up(n, 2) for n in (0, 1, 2, 3, 5)] == [0, 1, 1, 2, 3]
    assert scaled(1001, Decimal("0.5")) == 501
    # 0.29 x 50 is 14.499999... in binary floating point and 14.5 exactly.
    assert scaled(50, Decimal("0.29")) == 15
    assert share_of(5, 1000) == 1
    assert tax_contained(109, 900) == 9


def test_shares_by_largest_remainder_prefer_the_lower_key_on_a_tie() -> None:
    assert spread(100, [1, 1, 1], ["c", "a", "b"]) == [33, 34, 33]
    assert spread(0, [0, 0], ["a", "b"]) == [0, 0]
    with pytest.raises(ValueError, match="nothing to spread"):
        spread(1, [0], ["a"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=20), st.data())
def test_shares_add_up_and_never_exceed_their_weight(weights: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(0, sum(weights)))
    shares = spread(total, weights, range(len(weights)))
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert 0 <= share <= weight
        assert abs(share * sum(weights) - total * weight) < sum(weights) or not total


_ITEM = st.fixed_dictionaries(
    {
        "adult": st.integers(1, 3),
        "child": st.integers(1, 2),
        "prices": st.tuples(st.integers(0, 9999), st.integers(0, 9999)),
        "group": st.one_of(st.none(), st.integers(0, 9999)),
        "multiplier": st.decimals("0.50", "3.00", places=2),
        "rates": st.lists(st.sampled_from([500, 900, 2100]), unique=True, max_size=2),
        "commission": st.integers(0, 3000),
    },
)
_SALES = st.lists(_ITEM, min_size=1, max_size=3)
_VOUCHERS = st.one_of(
    st.none(),
    st.integers(1, 10_000).map(lambda percent: voucher(percent_basis_points=percent)),
    st.integers(1, 30_000).map(
        lambda amount: voucher(percent_basis_points=None, amount=amount, currency="EUR")
    ),
)


def _sale(items: list[dict[str, Any]]) -> list[tuple[ItemOrder, Offer]]:
    sale = []
    for index, item in enumerate(items):
        adult, child = item["prices"]
        units = [unit("adult", adult), unit("child", child)]
        taxes = tuple(Tax(f"T{rate}", rate) for rate in item["rates"])
        sold = ticket(
            f"ticket {index}",
            [option("standard", units, price=item["group"])],
            taxes=taxes,
            commission_basis_points=item["commission"],
        )
        offered = offer(sold, multiplier=str(item["multiplier"]))
        sale.append((order(offered, adult=item["adult"], child=item["child"]), offered))
    return sale


def _price(sale: list[tuple[ItemOrder, Offer]], used: Voucher | None) -> PricedBooking:
    orders, offers = zip(*sale, strict=True)
    return price_booking(orders, offers, used, SalePolicy(), NOW)


@settings(max_examples=150, deadline=None)
@given(_SALES, _VOUCHERS)
def test_every_cent_of_a_sale_belongs_to_a_unit_item(
    items: list[dict[str, Any]], used: Voucher | None
) -> None:
    priced = _price(_sale(items), used)
    price, units = priced.price, [unit for item in priced.items for unit in item.units]
    assert sum(unit.price for unit in units) == price.items
    assert sum(unit.discount for unit in units) == price.discount
    assert all(0 <= unit.discount <= unit.price and 0 <= unit.commission <= unit.paid for unit in units)
    assert price.total == price.items - price.discount + price.fee >= 0
    assert price.fee == (250 if price.items - price.discount else 0)
    paid = price.items - price.discount
    for tax in price.included_taxes:
        # Each of at most six lines is rounded by half a minor unit at most.
        assert 0 <= tax.amount <= paid * tax.rate_basis_points / (10_000 + tax.rate_basis_points) + 3


@settings(max_examples=150, deadline=None)
@given(_SALES, _VOUCHERS, st.randoms(use_true_random=False))
def test_the_order_of_the_items_changes_no_total(
    items: list[dict[str, Any]], used: Voucher | None, random: Any
) -> None:
    sale = _sale(items)
    # The same slot twice, with different quantities, is where a cent left over could move between lines.
    sale.append((order(sale[0][1], child=1, adult=1), sale[0][1]))
    shuffled = random.sample(sale, len(sale))
    turned = [(replace(o, units=o.units[::-1]), each) for o, each in shuffled]
    assert _price(turned, used).price == _price(sale, used).price


def test_people_of_two_items_on_one_slot_add_up() -> None:
    sold = ticket(options=[option("standard", [unit("adult", 100), unit("family", 300, pax=4)])])
    offered = offer(sold)
    priced = price_booking(
        [order(offered, adult=2), order(offered, adult=1, family=2)], [offered, offered], None, POLICY, NOW
    )
    assert priced.people == (2, 9)
    assert priced.people_by_slot == {offered.slot.id: 11}


def test_the_terms_of_the_sale_are_copied_onto_the_item() -> None:
    offered = offer(starts_at=NOW + timedelta(days=3))
    (item,) = price_booking([order(offered, adult=1)], [offered], None, POLICY, NOW).items
    assert item.terms.refund_policy == offered.ticket.refund_policy
    assert item.terms.taxes == offered.ticket.taxes
    assert (item.starts_at, item.sales_end_at) == (offered.slot.starts_at, offered.slot.sales_end_at)
    assert len({item.id, *(unit.id for unit in item.units)}) == 2
    assert item.id.version == 7
