"""Bookings and redemptions in the neutral form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from common.auth.keyfiles import KeyRing
from common.mongo.values import local_text
from common.transfer.documents import Document
from common.transfer.object_ids import id_of, object_id_of
from ticketing_service.domain import codes
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import BookingStatus, SaleTerms
from ticketing_service.domain.catalogue import TicketType
from ticketing_service.domain.claims import ClaimKind, email_key
from ticketing_service.domain.entry import EntryMode, entry_key, entry_mode
from ticketing_service.domain.local_time import local_day
from ticketing_service.domain.states import SOLD
from ticketing_service.storage.predecessor.bookings import Guest, Issued, Taken, policy_of
from ticketing_service.storage.predecessor.catalogue import TAX, unit_id
from ticketing_service.storage.predecessor.catalogue_documents import milliseconds
from ticketing_service.storage.predecessor.money_documents import (
    ACTOR,
    HISTORY,
    ITEM,
    part_of,
    payment_documents,
    payment_status,
    refund_documents,
    ticket_type,
    unit_item_id,
)
from ticketing_service.storage.predecessor.offers import UNIT_TITLES
from ticketing_service.storage.records.bookings import terms_document

TAKEN_OVER = "taken over"


def booking_document(booking: Taken, keys: KeyRing) -> Document:
    values, item = booking.values, _item(booking)
    admissions = [
        _admission_document(_signed(_admission(booking, number, guest.ticket), keys))
        for number, guest in enumerate(booking.guests)
        if guest.ticket is not None
    ]
    unused = [
        milliseconds(guest.ticket.valid_until)
        for guest in booking.guests
        if guest.ticket is not None and guest.status is BookingStatus.CONFIRMED
    ]
    return {
        "id": booking.id,
        "reference": values["bookingReference"],
        "status": booking.status.value,
        "channel": values["metadata.source"],
        "principal": None,
        "reseller_id": None,
        "is_test": False,
        "resale_uuid": None,
        "resale_reference": None,
        "resale": None,
        "customer_name": values["guestInfo.name"],
        "customer_email": values["guestInfo.email"],
        "customer_email_key": email_key(values["guestInfo.email"]),
        "customer_phone": values["guestInfo.phone"],
        "language": values["experience.language"],
        "currency": values["pricing.currency"],
        "items_amount": booking.items,
        "discount_amount": booking.discount,
        "fee_amount": booking.fee,
        "included_taxes": [[TAX.name, TAX.rate_basis_points, booking.taxes]] if booking.taxes else [],
        "voucher_id": None,
        "voucher_code": values["voucher.code"],
        "payment_status": payment_status(booking),
        "return_url": None,
        "extensions": 0,
        "version": 1,
        "created_at": milliseconds(values["createdAt"]),
        "expires_at": milliseconds(booking.expires_at),
        "updated_at": milliseconds(values["updatedAt"]),
        "admits_until": max(unused, default=None),
        "items": [item],
        "claims": _claims(booking, item["id"]),
        "history": list(_history(booking)),
        "payments": payment_documents(booking),
        "refunds": refund_documents(booking),
        "admissions": sorted(admissions, key=lambda each: each["id"]),
    }


def redemption_documents(booking: Taken) -> Iterator[Document]:
    """One of each ticket that was used."""
    for number, guest in enumerate(booking.guests):
        issued = guest.ticket
        if issued is None or issued.used_at is None:
            continue
        admission = _admission(booking, number, issued)
        at = min(max(issued.used_at, issued.valid_from), issued.valid_until)
        yield {
            "admission_id": issued.id,
            "entry_key": entry_key(admission, booking.slot.place.id, at),
            "scan_id": id_of(object_id_of(issued.id), 1),
            "poi_id": booking.slot.place.id,
            "gate": issued.gate,
            "redeemed_at": milliseconds(issued.used_at),
            "recorded_at": milliseconds(issued.used_at),
            "offline": False,
        }


def _item(booking: Taken) -> Document:
    slot = booking.slot
    terms = SaleTerms(
        ticket_type=ticket_type(booking),
        ticket_title=slot.place.names,
        option_title=slot.place.names,
        poi_ids=(slot.place.id,),
        refund_policy=policy_of(booking),
        taxes=(TAX,),
        valid_days=_days(booking, booking.guests[0].ticket),
        all_day=slot.kind.all_day,
    )
    return {
        "id": part_of(booking, ITEM),
        "ticket_id": slot.ticket_id,
        "option_id": slot.option_id,
        "slot_id": slot.id,
        "local_start": local_text(slot.local_start),
        "local_end": local_text(slot.local_end),
        "time_zone": slot.place.time_zone,
        "starts_at": milliseconds(slot.starts_at),
        "ends_at": milliseconds(slot.ends_at),
        "sales_end_at": milliseconds(slot.sales_end_at),
        "terms": terms_document(terms),
        "units": [_unit_item(booking, number, guest) for number, guest in enumerate(booking.guests)],
    }


def _unit_item(booking: Taken, number: int, guest: Guest) -> Document:
    return {
        "id": unit_item_id(booking, number),
        "unit_id": unit_id(booking.slot.option_id, guest.type),
        "unit_type": guest.type.value,
        "title": dict(UNIT_TITLES[guest.type]),
        "pax_count": 1,
        "price": guest.price,
        "discount": guest.discount,
        "commission": guest.commission,
        "net": None,
        "status": guest.status.value,
        "admission_id": None if guest.ticket is None else guest.ticket.id,
    }


def _claims(booking: Taken, item_id: UUID) -> list[Document]:
    held = booking.status is BookingStatus.ON_HOLD
    if not held and booking.status not in SOLD:
        return []
    return [
        {
            "counter_id": booking.slot.id,
            "item_id": item_id,
            "kind": ClaimKind.SEAT.value,
            "quantity": len(booking.guests),
            "held_until": milliseconds(booking.expires_at) if held else None,
        }
    ]


def _history(booking: Taken) -> Iterator[Document]:
    status, values = booking.status, booking.values
    held, confirmed = BookingStatus.ON_HOLD, BookingStatus.CONFIRMED
    steps: list[tuple[datetime, BookingStatus | None, BookingStatus, str]] = [
        (values["createdAt"], None, held, TAKEN_OVER)
    ]
    was_confirmed = status in SOLD or (status is BookingStatus.CANCELLED and booking.captured > 0)
    if was_confirmed:
        steps.append((booking.confirmed_at, held, confirmed, TAKEN_OVER))
    before = confirmed if was_confirmed else held
    if status is BookingStatus.CANCELLED:
        steps.append(
            (booking.ended_at, before, status, values["cancellation.cancellationReason"] or TAKEN_OVER)
        )
    elif status not in (held, confirmed):
        at = booking.expires_at if status is BookingStatus.EXPIRED else values["updatedAt"]
        steps.append((at, before, status, TAKEN_OVER))
    for number, (at, old, new, reason) in enumerate(steps):
        yield {
            "id": part_of(booking, HISTORY + number),
            "at": milliseconds(at),
            "actor": ACTOR,
            "from_status": old and old.value,
            "to_status": new.value,
            "reason": reason,
        }


def _admission(booking: Taken, number: int, issued: Issued) -> Admission:
    """Still without its code."""
    slot, guest = booking.slot, booking.guests[number]
    return Admission(
        id=issued.id,
        booking_id=booking.id,
        item_id=part_of(booking, ITEM),
        unit_item_id=unit_item_id(booking, number),
        ticket_id=slot.ticket_id,
        ticket_type=TicketType(issued.type),
        title=slot.place.names,
        unit_title=UNIT_TITLES[guest.type],
        poi_ids=(slot.place.id,),
        pax_count=1,
        time_zone=slot.place.time_zone,
        first_day=_first_day(booking, issued),
        valid_days=_days(booking, issued),
        valid_from=issued.valid_from,
        valid_until=issued.valid_until,
        code="",
        cancelled_at=booking.ended_at if booking.status is BookingStatus.CANCELLED else None,
    )


def _signed(admission: Admission, keys: KeyRing) -> Admission:
    kid, private_key = keys.newest()
    return replace(admission, code=codes.sign(codes.payload_of(admission), private_key, kid))


def _admission_document(admission: Admission) -> Document:
    cancelled_at = admission.cancelled_at
    return {
        "id": admission.id,
        "item_id": admission.item_id,
        "unit_item_id": admission.unit_item_id,
        "ticket_id": admission.ticket_id,
        "ticket_type": admission.ticket_type.value,
        "title": dict(admission.title),
        "unit_title": dict(admission.unit_title),
        "poi_ids": [str(each) for each in admission.poi_ids],
        "pax_count": admission.pax_count,
        "time_zone": admission.time_zone,
        "first_day": admission.first_day.isoformat(),
        "valid_days": admission.valid_days,
        "valid_from": milliseconds(admission.valid_from),
        "valid_until": milliseconds(admission.valid_until),
        "code": admission.code,
        "cancelled_at": None if cancelled_at is None else milliseconds(cancelled_at),
    }


def _first_day(booking: Taken, issued: Issued) -> date:
    return min(booking.slot.day, local_day(issued.valid_from, booking.slot.place.time_zone))


def _days(booking: Taken, issued: Issued | None) -> int:
    """On how many local days a ticket of several admits; one for the others."""
    if issued is None or entry_mode(TicketType(issued.type)) is not EntryMode.EACH_DAY:
        return 1
    # until midnight is until the day before
    last = local_day(issued.valid_until - timedelta(milliseconds=1), booking.slot.place.time_zone)
    return max(1, (last - _first_day(booking, issued)).days + 1)
