"""Which state may follow which (DESIGN: on hold, confirmed, expired, cancelled, redeemed, no show)."""

from __future__ import annotations

from collections.abc import Mapping

from ticketing_service.domain.bookings import BookingStatus
from ticketing_service.domain.errors import Code, Refused

TRANSITIONS: Mapping[BookingStatus, frozenset[BookingStatus]] = {
    BookingStatus.ON_HOLD: frozenset(
        {BookingStatus.CONFIRMED, BookingStatus.EXPIRED, BookingStatus.CANCELLED},
    ),
    # A payment that came late and found its seats still free.
    BookingStatus.EXPIRED: frozenset({BookingStatus.CONFIRMED}),
    BookingStatus.CONFIRMED: frozenset(
        {BookingStatus.REDEEMED, BookingStatus.NO_SHOW, BookingStatus.CANCELLED},
    ),
    # A gate that was offline reports its scans after the no-shows were counted.
    BookingStatus.NO_SHOW: frozenset({BookingStatus.REDEEMED}),
    BookingStatus.REDEEMED: frozenset(),
    BookingStatus.CANCELLED: frozenset(),
}


def may_follow(current: BookingStatus, wanted: BookingStatus) -> bool:
    """Whether `wanted` may come directly after `current`."""
    return wanted in TRANSITIONS[current]


def check_transition(current: BookingStatus, wanted: BookingStatus) -> None:
    """Refuse a change of state that does not exist.

    Raises BOOKING_EXPIRED, BOOKING_CANCELLED, UNIT_ITEM_NOT_CANCELLABLE (used, and to be cancelled) or
    BOOKING_NOT_ON_HOLD.
    """
    if may_follow(current, wanted):
        return
    detail = f"What is {current} cannot become {wanted}."
    facts = {"status": current.value}
    if current is BookingStatus.EXPIRED:
        raise Refused(Code.BOOKING_EXPIRED, detail, facts=facts)
    if current is BookingStatus.CANCELLED:
        raise Refused(Code.BOOKING_CANCELLED, detail, facts=facts)
    if wanted is BookingStatus.CANCELLED:
        raise Refused(Code.UNIT_ITEM_NOT_CANCELLABLE, detail, facts=facts)
    raise Refused(Code.BOOKING_NOT_ON_HOLD, detail, facts=facts)
