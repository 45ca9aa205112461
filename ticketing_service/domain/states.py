"""Which state may follow which (DESIGN: on hold, confirmed, expired, cancelled, redeemed, no show)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ticketing_service.domain.bookings import Booking, BookingStatus
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

SOLD = (BookingStatus.CONFIRMED, BookingStatus.REDEEMED, BookingStatus.NO_SHOW)
"""The places are the customer's, whether or not he has come."""


def require_held(booking: Booking, now: datetime) -> None:
    """Refuse unless the hold still stands at `now`, whether or not anybody has swept it up.

    Raises BOOKING_CANCELLED, BOOKING_EXPIRED or BOOKING_NOT_ON_HOLD (confirmed already).
    """
    if booking.status is BookingStatus.CANCELLED:
        raise Refused(Code.BOOKING_CANCELLED)
    over = booking.status is BookingStatus.ON_HOLD and now >= booking.expires_at
    if over or booking.status is BookingStatus.EXPIRED:
        raise Refused(Code.BOOKING_EXPIRED)
    if booking.status is not BookingStatus.ON_HOLD:
        raise Refused(Code.BOOKING_NOT_ON_HOLD)
