"""Payments and refunds as they lie in their booking, and what is derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from common.mongo.values import Document, instant, ms
from ticketing_service.domain.bookings import Booking, Payment, PaymentState, PaymentStatus
from ticketing_service.domain.payment_summary import payment_status
from ticketing_service.storage.mongo.booking_file import BookingFile
from ticketing_service.storage.mongo.endings import OPEN_STATES

_UNSETTLED = ("pending", "processing")


def payment_document(payment: Payment, next_look_at: datetime) -> Document:
    """A payment that is new, and when the module is asked for it next."""
    return {
        "id": payment.id,
        "provider_id": payment.provider_id,
        "amount": payment.amount,
        "currency": payment.currency,
        "state": payment.state.value,
        "captured": payment.captured,
        "refund_ordered": 0,
        "accepted": payment.accepted,
        "redirect_url": payment.redirect_url,
        "return_url": payment.return_url,
        "session_ends_at": ms(payment.session_ends_at),
        "next_look_at": ms(next_look_at),
        "looks": 0,
        "created_at": ms(payment.created_at),
    }


def payment_of(document: Mapping[str, Any], booking_id: UUID) -> Payment:
    """The payment of that booking."""
    return Payment(
        id=document["id"],
        booking_id=booking_id,
        provider_id=document["provider_id"],
        amount=document["amount"],
        currency=document["currency"],
        state=PaymentState(document["state"]),
        captured=document["captured"],
        accepted=document["accepted"],
        redirect_url=document["redirect_url"],
        return_url=document["return_url"],
        session_ends_at=instant(document["session_ends_at"]),
        created_at=instant(document["created_at"]),
    )


def payments_in(document: Mapping[str, Any]) -> tuple[Payment, ...]:
    """All payments of a booking's document, the oldest first."""
    found = (payment_of(each, document["_id"]) for each in document["payments"])
    return tuple(sorted(found, key=lambda payment: payment.id))


def payment_in(document: Mapping[str, Any], payment_id: UUID) -> Document:
    """The payment of that id, as it lies in the booking's document."""
    found: Document = next(each for each in document["payments"] if each["id"] == payment_id)
    return found


def settle_refunds(file: BookingFile, payment: Document, states: Mapping[str, str]) -> None:
    """Take over what the module says of our refunds, and stop looking at a payment that has nothing open."""
    still_open = False
    for refund in file.refunds:
        if refund["payment_id"] == payment["id"] and refund["status"] in _UNSETTLED:
            state = states.get(refund["provider_refund_id"] or "")
            if state in ("refunded", "failed"):
                refund["status"] = state
            still_open = still_open or refund["status"] in _UNSETTLED
    if payment["state"] not in OPEN_STATES and not still_open:
        payment["next_look_at"] = None


def keep_payment_status(file: BookingFile, now: datetime) -> Booking:
    """Bring the booking's payment status in line with its payments and refunds."""
    refunds = [(each["payment_id"], each["amount"], each["status"]) for each in file.refunds]
    status = payment_status(payments_in(file.document), refunds, PaymentStatus.NONE)
    booking = file.booking
    if status is booking.payment_status:
        return booking
    changed = replace(booking, payment_status=status, version=booking.version + 1, updated_at=now)
    return file.keep(changed)
