"""The admissions of a booking, for whoever holds its token."""

from __future__ import annotations

from uuid import UUID

from common.texts import text_in
from ticketing_service.actions.bookings import Access, find_booking
from ticketing_service.actions.ports import Ports
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.errors import Code, Refused


def find_admissions(booking_id: UUID, access: Access, ports: Ports) -> tuple[Admission, ...]:
    """Those of a paid booking that are not cancelled. Raises BOOKING_NOT_FOUND, ADMISSIONS_NOT_READY."""
    find_booking(booking_id, access, ports)
    admissions = ports.store.admissions.of_booking(booking_id)
    if not admissions:
        raise Refused(Code.ADMISSIONS_NOT_READY)
    return tuple(admission for admission in admissions if admission.cancelled_at is None)


def find_admission(admission_id: UUID, access: Access, ports: Ports) -> Admission:
    """Raises ADMISSION_NOT_FOUND, also for one of somebody else's booking, and ADMISSION_CANCELLED."""
    admission = ports.store.admissions.get(admission_id)
    if admission is None:
        raise Refused(Code.ADMISSION_NOT_FOUND)
    try:
        find_booking(admission.booking_id, access, ports)
    except Refused as refused:
        raise Refused(Code.ADMISSION_NOT_FOUND) from refused
    if admission.cancelled_at is not None:
        raise Refused(Code.ADMISSION_CANCELLED)
    return admission


def find_document(booking_id: UUID, access: Access, ports: Ports) -> tuple[Booking, bytes]:
    """The PDF of the admissions. Raises BOOKING_NOT_FOUND, ADMISSIONS_NOT_READY, DOCUMENT_PENDING."""
    booking = _issued(booking_id, access, ports)
    pdf = ports.store.admissions.document(booking_id, booking.version)
    if pdf is None:
        raise Refused(Code.DOCUMENT_PENDING)
    return booking, pdf


def find_visit(booking_id: UUID, access: Access, ports: Ports) -> tuple[Booking, dict[UUID, str]]:
    """A paid booking and its places' names in the customer's language. Raises as `find_admissions`."""
    booking = _issued(booking_id, access, ports)
    pois = ports.store.catalogue.pois({poi for item in booking.items for poi in item.terms.poi_ids})
    language = booking.customer.language
    return booking, {poi.id: text_in(poi.names, language) for poi in pois.values()}


def _issued(booking_id: UUID, access: Access, ports: Ports) -> Booking:
    booking = find_booking(booking_id, access, ports)
    if all(unit.admission_id is None for unit in booking.unit_items):
        raise Refused(Code.ADMISSIONS_NOT_READY)
    return booking
