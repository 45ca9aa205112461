"""Confirming what nobody pays for now, worked out before its turn to write (see `storage.foresight`).

The booking is read, its admissions are signed and all rows are made beforehand. The turn itself only asks
whether the booking is still the one that was read, by the write that makes it another; if not, it begins
anew with what the store says then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from common.database.prepared import Script, Target
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.states import SOLD, require_held
from ticketing_service.storage.ports.bookings import Amendment
from ticketing_service.storage.ports.calls import Issue
from ticketing_service.storage.records.bookings import confirmed, status_without_payment
from ticketing_service.storage.sql.booking_records import booking_in, locked_booking, update_told
from ticketing_service.storage.sql.confirming import set_booking, set_if_unchanged, write_confirmation
from ticketing_service.storage.sql.counters import settle


@dataclass(frozen=True, slots=True)
class ForeseenSale:
    """The booking as it will be, and all that is written for it, if it still has that `version`."""

    version: int
    booking: Booking
    script: Script


@dataclass(frozen=True, slots=True)
class FreeSale:
    """`BookingStore.confirm_free` of one booking."""

    booking_id: UUID
    issue: Issue
    actor: str
    now: datetime
    amendment: Amendment | None

    def foresee(self, connection: Connection, script: Script) -> ForeseenSale | None:
        """What the sale will most likely be; None where the store is to have the only word."""
        booking = booking_in(connection, self.booking_id)
        if booking is None:
            return None
        try:
            before, after, reason = self._decided(booking)
        except Refused:
            return None
        return ForeseenSale(booking.version, self._write(script, before, after, reason), script)

    def verb(self, connection: Connection, foreseen: ForeseenSale | None) -> Booking:
        """Sell it. The counters come last: theirs are the rows that all sales want."""
        if foreseen is not None and set_if_unchanged(connection, foreseen.booking, foreseen.version):
            foreseen.script.play(connection)
            sold = foreseen.booking
        else:
            booking = locked_booking(connection, self.booking_id)
            if booking.status in SOLD:
                return booking
            before, after, reason = self._decided(booking)
            set_booking(connection, after)
            sold = self._write(connection, before, after, reason)
        settle(connection, self.booking_id)
        return sold

    def _decided(self, booking: Booking) -> tuple[Booking, Booking, str]:
        """With its amendment and then sold, and why without a payment."""
        require_held(booking, self.now)
        if booking.to_pay > 0:
            raise Refused(Code.PAYMENT_REQUIRED)
        before = booking if self.amendment is None else self.amendment.of(booking)
        status, reason = status_without_payment(before)
        return before, confirmed(before, status, self.now), reason

    def _write(self, target: Target, before: Booking, after: Booking, reason: str) -> Booking:
        if self.amendment is not None:
            update_told(target, before)
        return write_confirmation(target, before, after, self.issue, self.actor, reason, self.now)
