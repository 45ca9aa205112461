"""How a booking ends without being used: holds that run out, and money that goes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from common.identifiers import uuid7
from common.mongo.transaction import Transaction
from common.mongo.values import Document, ms
from ticketing_service.domain.bookings import BookingStatus, PaymentState, Refund
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.booking_file import BookingFile, save
from ticketing_service.storage.mongo.counters import expired_on, give_back
from ticketing_service.storage.mongo.ledger import take_back_refunds
from ticketing_service.storage.mongo.outbox import add_task, add_tasks
from ticketing_service.storage.mongo.writing import note_expired
from ticketing_service.storage.records.bookings import with_statuses

RELEASE_BATCH = 200
OPEN_STATES = (PaymentState.OPENING.value, PaymentState.PENDING.value, PaymentState.AUTHORIZED.value)


def expire(tx: Transaction, candidates: Sequence[UUID], now: datetime) -> int:
    """End those of the bookings whose hold has run out: places back, open payment sessions voided. Says how
    many.
    """
    due = {
        "_id": {"$in": list(candidates)},
        "status": BookingStatus.ON_HOLD.value,
        "expires_at": {"$lte": ms(now)},
    }
    files = [BookingFile(each) for each in tx.find(schema.bookings, due, sort=[("_id", 1)])]
    for file in files:
        end_hold(tx, file, now)
    save(tx, files)
    return len(files)


def end_hold(tx: Transaction, file: BookingFile, now: datetime) -> None:
    """The hold has run out; the caller saves the file."""
    booking = file.booking
    ended = with_statuses(booking, {unit.id: BookingStatus.EXPIRED for unit in booking.unit_items})
    file.keep(replace(ended, status=BookingStatus.EXPIRED, version=booking.version + 1, updated_at=now))
    give_back(file)
    file.note(BookingStatus.ON_HOLD, BookingStatus.EXPIRED, "system", "the hold ran out", now)
    void_open_payments(tx, file, now)
    note_expired(tx, 0 if booking.is_test else 1)


def expire_on_counter(tx: Transaction, counter_id: UUID, now: datetime) -> bool:
    """Release expired holds that stand on a counter; whether there were any."""
    return expire(tx, expired_on(tx, counter_id, now, RELEASE_BATCH), now) > 0


def void_open_payments(tx: Transaction, file: BookingFile, now: datetime, *, but: UUID | None = None) -> None:
    """Have the worker close the payment sessions that are still open; nobody is sent to them any more."""
    open_ones = [each for each in file.payments if each["state"] in OPEN_STATES and each["id"] != but]
    for each in open_ones:
        each["session_ends_at"] = ms(now)
    add_tasks(tx, [("void", {"paymentId": str(each["id"])}) for each in open_ones], now)


def order_refund(
    tx: Transaction, file: BookingFile, payment: Document, amount: int, reason: str, now: datetime
) -> Refund | None:
    """Promise money back, and have the worker ask for it. None when more would go back than came in.

    The bound is what was captured; while a capture is still under way, what it will be.
    """
    bound = payment["captured"] if payment["captured"] > 0 else payment["amount"]
    if payment["refund_ordered"] + amount > bound:
        return None
    payment["refund_ordered"] += amount
    payment["next_look_at"], payment["looks"] = ms(now + timedelta(seconds=30)), 0
    refund_id = uuid7()
    file.refunds.append(refund_document(refund_id, payment["id"], amount, reason[:200], "pending", now))
    add_task(tx, "refund", {"refundId": str(refund_id)}, now)
    return next(each for each in file.booking.refunds if each.id == refund_id)


def refund_document(
    refund_id: UUID, payment_id: UUID, amount: int, reason: str, status: str, now: datetime
) -> Document:
    """A refund as it lies in its booking."""
    return {
        "id": refund_id,
        "payment_id": payment_id,
        "amount": amount,
        "reason": reason,
        "status": status,
        "provider_refund_id": None,
        "created_at": ms(now),
    }


def void_promises(tx: Transaction, file: BookingFile, payment: Document, now: datetime) -> None:
    """Take back the refunds that were promised of a payment whose money never came."""
    promised = [
        each for each in file.refunds if each["payment_id"] == payment["id"] and each["status"] == "pending"
    ]
    if not promised:
        return
    for each in promised:
        each["status"] = "void"
        payment["refund_ordered"] -= each["amount"]
    take_back_refunds(tx, file.id, now)
