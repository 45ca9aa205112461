"""Payments, refunds and the books in the neutral form."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from common.transfer.documents import Document
from common.transfer.object_ids import id_of, object_id_of
from ticketing_service.domain.bookings import BookingStatus, PaymentState
from ticketing_service.domain.catalogue import TicketType
from ticketing_service.domain.money import spread
from ticketing_service.storage.predecessor.bookings import Taken
from ticketing_service.storage.predecessor.catalogue_documents import milliseconds
from ticketing_service.storage.records.entries import EntryKind, day_of

ACTOR = "predecessor"
# what of a booking has which of its ids: the first of its unit items, and of its lines in the books
ITEM, PAYMENT, REFUND, HISTORY, FIRST = 1, 2, 3, 10, 20


def payment_documents(booking: Taken) -> list[Document]:
    """One, where there was a session at the payment module."""
    provider = booking.values["payment.transactionId"]
    if not provider or not booking.total:
        return []
    # a cancelled booking's money may be on its way back: the module is asked
    is_open = booking.payment is PaymentState.PENDING or (
        booking.status is BookingStatus.CANCELLED and booking.captured > booking.refunded
    )
    return [
        {
            "id": part_of(booking, PAYMENT),
            "provider_id": provider,
            "amount": booking.total,
            "currency": booking.values["pricing.currency"],
            "state": booking.payment.value,
            "captured": booking.captured,
            "refund_ordered": booking.refunded,
            "accepted": booking.captured > 0,
            "redirect_url": None,
            "return_url": "",
            "session_ends_at": None,
            "next_look_at": milliseconds(booking.values["updatedAt"]) if is_open else None,
            "looks": 0,
            "created_at": milliseconds(booking.values["createdAt"]),
        }
    ]


def refund_documents(booking: Taken) -> list[Document]:
    if not booking.refunded:
        return []
    return [
        {
            "id": part_of(booking, REFUND),
            "payment_id": part_of(booking, PAYMENT),
            "amount": booking.refunded,
            "reason": ACTOR,
            "status": "refunded",
            "provider_refund_id": None,
            "created_at": milliseconds(booking.ended_at),
        }
    ]


def payment_status(booking: Taken) -> str:
    return booking.payment.value if payment_documents(booking) else "none"


def ledger_documents(booking: Taken) -> Iterator[Document]:
    """The lines of the books: what was captured, what of it was given back."""
    if not booking.captured:
        return
    lines: list[tuple[EntryKind, datetime, int | None, int, int]] = [
        (EntryKind.SALE, booking.confirmed_at, number, guest.paid, guest.commission)
        for number, guest in enumerate(booking.guests)
    ]
    if booking.fee:
        lines.append((EntryKind.FEE, booking.confirmed_at, None, booking.fee, 0))
    if booking.refunded:
        weights = [*(guest.paid for guest in booking.guests), booking.fee]
        shares = spread(booking.refunded, weights, range(len(weights)))
        for number, share in enumerate(shares):
            guest = booking.guests[number] if number < len(booking.guests) else None
            if share:
                back = guest.commission * share // guest.paid if guest is not None else 0
                whose = number if guest is not None else None
                lines.append((EntryKind.REFUND, booking.ended_at, whose, share, back))
    for place, (kind, at, whose, amount, commission) in enumerate(lines):
        of = None if whose is None else booking.guests[whose]
        yield {
            "id": part_of(booking, FIRST + place),
            "at": milliseconds(at),
            "day": day_of(at),
            "kind": kind.value,
            "booking_id": booking.id,
            "unit_item_id": None if whose is None else unit_item_id(booking, whose),
            "ticket_id": None if of is None else booking.slot.ticket_id,
            "ticket_type": None if of is None else ticket_type(booking).value,
            "unit_type": None if of is None else of.type.value,
            "channel": booking.values["metadata.source"],
            "reseller_id": None,
            "currency": booking.values["pricing.currency"],
            "amount": amount,
            "commission": commission,
        }


def part_of(booking: Taken, part: int) -> UUID:
    """The id of a part of the booking."""
    return id_of(object_id_of(booking.id), part)


def unit_item_id(booking: Taken, number: int) -> UUID:
    """In the order of the guests."""
    return part_of(booking, FIRST + number)


def ticket_type(booking: Taken) -> TicketType:
    """As its tickets say, else its product."""
    issued = booking.guests[0].ticket
    return TicketType(booking.values["experience.productType"] if issued is None else issued.type)
