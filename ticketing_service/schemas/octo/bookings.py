"""Bookings as OCTO has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.web.schemas import instant_text
from ticketing_service.actions.bookings import shown_status
from ticketing_service.actions.ports import Ports
from ticketing_service.actions.resale import Told
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import Booking, BookingStatus, PaymentStatus, UnitItem
from ticketing_service.domain.history import HistoryRow
from ticketing_service.domain.pricing import SalePolicy
from ticketing_service.domain.refunds import refundable_percent
from ticketing_service.domain.resale import Contact, ResoldUnit
from ticketing_service.domain.resale_changes import called
from ticketing_service.schemas.documents import Document
from ticketing_service.schemas.octo.availability import Shown, availability_document
from ticketing_service.schemas.octo.pricing import booking_pricing, unit_item_pricing
from ticketing_service.schemas.octo.products import DELIVERY_METHODS, REDEMPTION_METHOD, Asked

PATH = "/api/v1/octo"
"""Where all of it is served."""

STATUS: Mapping[BookingStatus, str] = {
    BookingStatus.ON_HOLD: "ON_HOLD",
    BookingStatus.CONFIRMED: "CONFIRMED",
    BookingStatus.EXPIRED: "EXPIRED",
    BookingStatus.CANCELLED: "CANCELLED",
    BookingStatus.REDEEMED: "REDEEMED",
    # it was bought, and never used
    BookingStatus.NO_SHOW: "CONFIRMED",
}
FULL, PARTIAL, NONE = "FULL", "PARTIAL", "NONE"
_HUNDRED = 100
_COUNT = re.compile(r" \(\d+ of \d+\)\Z")
"""What the history writes behind the reason of a cancellation."""


@dataclass(frozen=True, slots=True)
class View:
    """What a booking is shown with. `voucher_url`: where its tickets can be fetched, all in one document."""

    now: datetime
    policy: SalePolicy
    asked: Asked
    voucher_url: Callable[[Booking], str]

    @classmethod
    def of(cls, asked: Asked, ports: Ports) -> View:
        """As bookings are now."""

        def voucher_url(booking: Booking) -> str:
            token = ports.booking_tokens.fetch(booking.id)
            return f"{ports.public_url}{PATH}/bookings/{booking.id}/voucher.pdf?dl={token}"

        return cls(ports.clock(), ports.policy, asked, voucher_url)


def booking_document(told: Told, view: View) -> Document:
    """As OCTO's Booking."""
    booking, item, resale = told.booking, told.booking.items[0], told.booking.resale
    status = shown_status(booking, view.now)
    confirmed = _last(told, BookingStatus.CONFIRMED, BookingStatus.ON_HOLD, BookingStatus.EXPIRED)
    uses = told.course.used_at
    document: Document = {
        "id": booking.id,
        "uuid": resale.uuid if resale else booking.id,
        "testMode": booking.is_test,
        "resellerReference": resale and resale.reference,
        "supplierReference": booking.reference,
        "status": STATUS[status],
        "utcCreatedAt": instant_text(booking.created_at),
        "utcUpdatedAt": instant_text(booking.updated_at),
        "utcExpiresAt": _instant(booking.expires_at if status is BookingStatus.ON_HOLD else None),
        "utcRedeemedAt": _instant(max(uses.values()) if status is BookingStatus.REDEEMED and uses else None),
        "utcConfirmedAt": None if confirmed is None else instant_text(confirmed.at),
        "productId": item.ticket_id,
        "optionId": item.option_id,
        "cancellable": is_cancellable(booking, status, view.now),
        "cancellation": _cancellation(told, status, confirmed is not None),
        "freesale": False,
        "availabilityId": item.slot_id,
        "availability": _availability(told, view),
        "contact": contact_document(resale.contact if resale else _customer(booking)),
        "notes": resale and resale.notes,
        "deliveryMethods": DELIVERY_METHODS,
        "voucher": _voucher(told, view),
        "unitItems": _unit_items(told, status, view),
    }
    if view.asked.pricing:
        document["pricing"] = booking_pricing(booking)
    return document


def is_cancellable(booking: Booking, status: BookingStatus, now: datetime) -> bool:
    """Whether all of what is left of it can be cancelled at `now`."""
    if status is BookingStatus.ON_HOLD:
        return True
    until = booking.cancellable_until
    return status is BookingStatus.CONFIRMED and until is not None and now <= until


def contact_document(contact: Contact) -> Document:
    """As OCTO's Contact."""
    return {
        "fullName": contact.name or None,
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "emailAddress": contact.email,
        "phoneNumber": contact.phone,
        "locales": contact.locales,
        "postalCode": contact.postal_code,
        "country": contact.country,
        "notes": contact.notes,
    }


def _customer(booking: Booking) -> Contact:
    customer = booking.customer
    return Contact(
        full_name=customer.name, email=customer.email, phone=customer.phone, locales=(customer.language,)
    )


def _unit_items(told: Told, status: BookingStatus, view: View) -> list[Document]:
    """In the order in which the reseller asked for them."""
    booking, names = told.booking, called(told.booking)
    ended = status is not booking.status
    order = {unit.uuid: place for place, unit in enumerate(booking.resale.units if booking.resale else ())}
    units = sorted(booking.unit_items, key=lambda unit: order.get(names[unit.id].uuid, len(order)))
    return [_unit_item(unit, names[unit.id], told, status if ended else unit.status, view) for unit in units]


def _unit_item(unit: UnitItem, name: ResoldUnit, told: Told, status: BookingStatus, view: View) -> Document:
    used_at = _instant(told.course.used_at.get(unit.id))
    admission = told.course.admissions.get(unit.id)
    document: Document = {
        "uuid": name.uuid,
        "resellerReference": name.reference,
        "supplierReference": unit.id,
        "unitId": unit.unit_id,
        "status": STATUS[status],
        "utcRedeemedAt": used_at,
        "contact": contact_document(name.contact),
        "ticket": _ticket([_qr_code(admission)], used_at) if _is_good(admission) else None,
    }
    if view.asked.pricing:
        booking = told.booking
        document["pricing"] = unit_item_pricing(unit, booking, booking.items[0].terms.taxes)
    return document


def _voucher(told: Told, view: View) -> Document | None:
    """All tickets in one document; and the code itself where one is all that there is."""
    booking = told.booking
    good = [each for each in told.course.admissions.values() if _is_good(each)]
    if not good:
        return None
    options = [{"deliveryFormat": "PDF_URL", "deliveryValue": view.voucher_url(booking)}]
    if len(good) == 1:
        options.insert(0, _qr_code(good[0]))
    uses = told.course.used_at
    used = booking.status is BookingStatus.REDEEMED and bool(uses)
    return _ticket(options, _instant(max(uses.values())) if used else None)


def _ticket(options: list[Document], used_at: str | None) -> Document:
    return {
        "redemptionMethod": REDEMPTION_METHOD,
        "utcRedeemedAt": used_at,
        "deliveryOptions": options,
    }


def _is_good(admission: Admission | None) -> bool:
    return admission is not None and admission.cancelled_at is None


def _qr_code(admission: Admission | None) -> Document:
    return {"deliveryFormat": "QRCODE", "deliveryValue": admission.code if admission else ""}


def _availability(told: Told, view: View) -> Document | None:
    """The slot as it is now; None of one whose option the ticket has no more."""
    offer = told.course.offer
    if offer is None:
        return None
    option = offer.ticket.option(offer.slot.option_id)
    if option is None:
        return None
    nothing: Mapping[UUID, int] = {}
    shown = Shown(offer.ticket, option, nothing, view.policy, view.now, view.asked)
    return availability_document(offer.slot, shown)


def _cancellation(told: Told, status: BookingStatus, was_confirmed: bool) -> Document | None:
    row = _last(told, BookingStatus.CANCELLED)
    if status is not BookingStatus.CANCELLED or row is None:
        return None
    return {
        "refund": _refund(told, row) if was_confirmed else NONE,
        "reason": _COUNT.sub("", row.reason) or None,
        "utcCancelledAt": instant_text(row.at),
    }


def _refund(told: Told, row: HistoryRow) -> str:
    """How much of what was owed is owed no more. A test is in no book: there the policy says it."""
    booking = told.booking
    owed, given_back = booking.net, told.course.given_back
    if booking.is_test:
        item = booking.items[0]
        percent = refundable_percent(item.terms.refund_policy, item.notice_counts_to, row.at)
        owed, given_back = _HUNDRED, percent or 0
    if given_back >= owed or booking.payment_status is PaymentStatus.NONE:
        return FULL
    return PARTIAL if given_back else NONE


def _last(told: Told, to: BookingStatus, *origins: BookingStatus) -> HistoryRow | None:
    """The last row of its history in which it became so, from one of `origins` if any are named."""
    found = [
        row
        for row in told.course.history
        if row.to_status == to and row.from_status != to and (not origins or row.from_status in origins)
    ]
    return found[-1] if found else None


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else instant_text(moment)
