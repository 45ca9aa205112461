"""What a reseller's customers pay, what it owes and what it keeps."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.builders import make_reseller, make_reseller_key
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.resellers import Credit, checked_key

CASES = (
    # markup, net rate, list price -> retail, net
    (0, 10_000, 1250, 1250, 1250),
    (0, 8000, 1250, 1250, 1000),
    (0, 8000, 1, 1, 1),
    (0, 5000, 1, 1, 1),
    (0, 4999, 1, 1, 0),
    (1000, 10_000, 1250, 1375, 1250),
    (1000, 8000, 1250, 1375, 1000),
    (333, 10_000, 999, 1032, 999),
    (0, 0, 1250, 1250, 0),
    (10_000, 10_000, 3, 6, 3),
)


@pytest.mark.parametrize("markup, rate, price, retail, net", CASES)
def test_what_is_paid_and_what_of_it_is_owed(
    markup: int, rate: int, price: int, retail: int, net: int
) -> None:
    reseller = make_reseller(markup_basis_points=markup, net_basis_points=rate)
    assert reseller.retail(price) == retail
    assert reseller.net(retail) == net


@given(st.integers(0, 10**8), st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_markup_is_the_reseller_s_own_and_nobody_owes_more_than_was_paid(
    price: int, markup: int, rate: int
) -> None:
    whole = make_reseller(markup_basis_points=markup)
    assert whole.net(whole.retail(price)) == price
    part = make_reseller(markup_basis_points=markup, net_basis_points=rate)
    assert 0 <= part.net(part.retail(price)) <= price


def test_what_was_paid_may_be_used_again() -> None:
    assert Credit(currency="EUR", limit=500, paid=300, used=700).capacity == 800


def test_a_key_ends_after_it_begins() -> None:
    key = make_reseller_key(make_reseller())
    assert checked_key(key) == key
    ended = make_reseller_key(make_reseller(), expires_at=datetime(2026, 6, 1, 8, tzinfo=UTC))
    with pytest.raises(Refused) as refused:
        checked_key(ended)
    assert refused.value.code is Code.INVALID_API_KEY
