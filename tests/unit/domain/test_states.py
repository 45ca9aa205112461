"""States: what may follow what, in full."""

from __future__ import annotations

from itertools import product

import pytest

from ticketing_service.domain.bookings import BookingStatus
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.states import check_transition, may_follow

LEGAL = {
    ("on_hold", "confirmed"),
    ("on_hold", "expired"),
    ("on_hold", "cancelled"),
    ("expired", "confirmed"),
    ("confirmed", "redeemed"),
    ("confirmed", "no_show"),
    ("confirmed", "cancelled"),
    ("no_show", "redeemed"),
}


@pytest.mark.parametrize("current, wanted", list(product(BookingStatus, repeat=2)))
def test_exactly_the_legal_changes_are_allowed(current: BookingStatus, wanted: BookingStatus) -> None:
    legal = (current.value, wanted.value) in LEGAL
    assert may_follow(current, wanted) is legal
    if legal:
        check_transition(current, wanted)
    else:
        with pytest.raises(Refused) as refused:
            check_transition(current, wanted)
        assert refused.value.facts == {"status": current.value}


@pytest.mark.parametrize(
    "current, wanted, code",
    [
        (BookingStatus.EXPIRED, BookingStatus.CANCELLED, Code.BOOKING_EXPIRED),
        (BookingStatus.CANCELLED, BookingStatus.CONFIRMED, Code.BOOKING_CANCELLED),
        (BookingStatus.REDEEMED, BookingStatus.CANCELLED, Code.UNIT_ITEM_NOT_CANCELLABLE),
        (BookingStatus.CONFIRMED, BookingStatus.EXPIRED, Code.BOOKING_NOT_ON_HOLD),
    ],
)
def test_a_refused_change_says_why(current: BookingStatus, wanted: BookingStatus, code: Code) -> None:
    with pytest.raises(Refused) as refused:
        check_transition(current, wanted)
    assert refused.value.code is code
