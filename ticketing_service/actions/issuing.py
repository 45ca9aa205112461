"""Making the admissions of a paid booking."""

from __future__ import annotations

from dataclasses import dataclass, replace

from common.auth.keyfiles import KeyRing
from common.identifiers import derived_id
from ticketing_service.domain import codes
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import Booking, BookingItem, BookingStatus, UnitItem
from ticketing_service.domain.entry import EntryMode, admission_window


@dataclass(frozen=True, slots=True)
class Issuer:
    """`issue_admissions` with the keys that sign: what the store's verbs call inside their transaction."""

    keys: KeyRing

    def __call__(self, booking: Booking) -> tuple[Admission, ...]:
        """One signed admission for each unit item that lives. Raises KeyFolderError."""
        return issue_admissions(booking, self.keys)


def issue_admissions(booking: Booking, keys: KeyRing) -> tuple[Admission, ...]:
    """One signed admission for each unit item that lives; the same ids whenever it is asked again.

    A unit that takes no place (an infant) is let in together with the others and has no code of its own.
    """
    return tuple(
        _signed(_admission(booking, item, unit), keys, is_test=booking.is_test)
        for item in booking.items
        for unit in item.units
        if unit.pax_count and unit.status not in (BookingStatus.CANCELLED, BookingStatus.EXPIRED)
    )


def _admission(booking: Booking, item: BookingItem, unit: UnitItem) -> Admission:
    valid_from, valid_until, first_day = admission_window(item)
    return Admission(
        # one that goes on as another one has a new admission
        id=derived_id(unit.admission_id or unit.id, "admission"),
        booking_id=booking.id,
        item_id=item.id,
        unit_item_id=unit.id,
        ticket_id=item.ticket_id,
        ticket_type=item.terms.ticket_type,
        title=item.terms.ticket_title,
        unit_title=unit.title,
        poi_ids=item.terms.poi_ids,
        pax_count=unit.pax_count,
        time_zone=item.time_zone,
        first_day=first_day,
        valid_days=item.terms.valid_days,
        valid_from=valid_from,
        valid_until=valid_until,
        code="",
    )


def _signed(admission: Admission, keys: KeyRing, *, is_test: bool) -> Admission:
    kid, private_key = keys.newest()
    payload = codes.payload_of(admission)
    if is_test:
        # in the code itself, so that a gate without a network knows it too
        payload = replace(payload, entry_mode=EntryMode.TEST)
    return replace(admission, code=codes.sign(payload, private_key, kid))
