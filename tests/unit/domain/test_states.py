"""States: what may follow what, in full, and when a hold stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.domain import builders
from ticketing_service.domain.bookings import BookingStatus
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.states import TRANSITIONS, require_held

MOMENT = timedelta(milliseconds=1)


def test_these_changes_are_legal_and_no_others() -> None:
    assert {(before.value, after.value) for before, follow in TRANSITIONS.items() for after in follow} == {
        ("on_hold", "confirmed"),
        ("on_hold", "expired"),
        ("on_hold", "cancelled"),
        ("expired", "confirmed"),
        ("confirmed", "redeemed"),
        ("confirmed", "no_show"),
        ("confirmed", "cancelled"),
        ("no_show", "redeemed"),
    }
    assert set(TRANSITIONS) == set(BookingStatus)


def test_a_hold_stands_to_its_last_millisecond() -> None:
    held = builders.booking(BookingStatus.ON_HOLD)
    require_held(held, held.expires_at - MOMENT)
    with pytest.raises(Refused) as refused:
        require_held(held, held.expires_at)
    assert refused.value.code is Code.BOOKING_EXPIRED


@pytest.mark.parametrize(
    "status, code",
    [
        (BookingStatus.EXPIRED, Code.BOOKING_EXPIRED),
        (BookingStatus.CANCELLED, Code.BOOKING_CANCELLED),
        (BookingStatus.CONFIRMED, Code.BOOKING_NOT_ON_HOLD),
        (BookingStatus.REDEEMED, Code.BOOKING_NOT_ON_HOLD),
        (BookingStatus.NO_SHOW, Code.BOOKING_NOT_ON_HOLD),
    ],
)
def test_what_is_not_on_hold_says_why(status: BookingStatus, code: Code) -> None:
    held = builders.booking(BookingStatus.ON_HOLD)
    with pytest.raises(Refused) as refused:
        require_held(replace(held, status=status), held.created_at)
    assert refused.value.code is code
