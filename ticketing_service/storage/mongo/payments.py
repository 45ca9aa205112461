"""Payments: one decision each time something is learned of one, with all that follows in the same commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from pymongo.errors import DuplicateKeyError

from common.identifiers import uuid7
from common.mongo.database import MongoDatabase
from common.mongo.failures import is_duplicate
from common.mongo.transaction import Transaction
from common.mongo.values import Document, instant, ms
from common.web.idempotency import Idempotency
from ticketing_service.domain.bookings import Booking, Observation, Payment, PaymentState
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.states import require_held
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.booking_file import BookingFile, opened, opened_by, save
from ticketing_service.storage.mongo.counters import counters_drawn_on
from ticketing_service.storage.mongo.payment_decisions import apply_decision, refuse_capture
from ticketing_service.storage.mongo.payment_records import (
    keep_payment_status,
    payment_document,
    payment_in,
    payment_of,
    payments_in,
    settle_refunds,
)
from ticketing_service.storage.mongo.writing import Writer
from ticketing_service.storage.ports.calls import Issue
from ticketing_service.storage.ports.payments import PaymentSession, RefundOrder

FIRST_LOOK = timedelta(seconds=20)
LONGEST_PAUSE = timedelta(minutes=5)


class MongoPayments:
    """`storage.ports.payments.PaymentStore` on MongoDB. Payments and refunds lie in their booking."""

    def __init__(self, database: MongoDatabase, writer: Writer) -> None:
        self._database = database
        self._write = writer

    def open_attempt(self, booking_id: UUID, return_url: str, now: datetime) -> Payment:
        def verb(tx: Transaction) -> Payment:
            file = opened(tx, booking_id)
            booking = _payable(file, now)
            for payment in payments_in(file.document):
                if _goes_on(payment, booking, now):
                    return payment
            payment = Payment(
                id=uuid7(),
                booking_id=booking_id,
                provider_id=None,
                amount=booking.price.total,
                currency=booking.price.currency,
                state=PaymentState.OPENING,
                captured=0,
                accepted=False,
                redirect_url=None,
                return_url=return_url,
                session_ends_at=None,
                created_at=now,
            )
            file.payments.append(payment_document(payment, now + FIRST_LOOK))
            keep_payment_status(file, now)
            save(tx, [file])
            return payment

        return self._write(verb, None, [booking_id])

    def opened(self, payment_id: UUID, session: PaymentSession, now: datetime) -> Payment:
        def verb(tx: Transaction) -> Payment:
            file = _with_payment(tx, payment_id)
            payment = payment_in(file.document, payment_id)
            payment["provider_id"] = session.provider_id
            payment["redirect_url"] = session.redirect_url
            if payment["session_ends_at"] is None:
                # one that was voided meanwhile has ended
                payment["session_ends_at"] = ms(session.session_ends_at)
            if payment["state"] == PaymentState.OPENING.value:
                payment["state"] = PaymentState.PENDING.value
            save(tx, [file])
            return payment_of(payment, file.id)

        return self._write(verb)

    def get(self, payment_id: UUID) -> Payment | None:
        with self._database.read() as reading:
            found = reading.one(schema.bookings, {"payments.id": payment_id}, ["payments"])
        return None if found is None else payment_of(payment_in(found, payment_id), found["_id"])

    def of_booking(self, booking_id: UUID) -> tuple[Payment, ...]:
        with self._database.read() as reading:
            found = reading.one(schema.bookings, {"_id": booking_id}, ["payments"])
        return () if found is None else payments_in(found)

    def observe(
        self,
        booking_id: UUID,
        observation: Observation,
        refunds: Mapping[str, str],
        issue: Issue,
        actor: str,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        def verb(tx: Transaction) -> Booking:
            file = opened(tx, booking_id)
            if observation.resource_id != str(booking_id):
                # money that stands for another booking must not be touched from here
                raise Refused(Code.PAYMENT_MISMATCH)
            payment = _seen(tx, file, observation, now)
            apply_decision(tx, file, payment, observation, issue, actor, now)
            settle_refunds(file, payment, refunds)
            after = keep_payment_status(file, now)
            save(tx, [file])
            return after

        try:
            return self._write(verb, idempotency, self._turns(booking_id))
        except DuplicateKeyError as error:
            if not is_duplicate(error, "provider_ids"):
                raise
            # another booking took the payment for its own at the same time: one payment pays one booking
            raise Refused(Code.PAYMENT_MISMATCH) from error

    def capture_refused(self, payment_id: UUID, reason: str, now: datetime) -> None:
        def verb(tx: Transaction) -> None:
            file = _with_payment(tx, payment_id)
            payment = payment_in(file.document, payment_id)
            if payment["accepted"] and payment["state"] == PaymentState.AUTHORIZED.value:
                refuse_capture(tx, file, payment, PaymentState.AUTHORIZED, reason, 0, now)
                keep_payment_status(file, now)
                save(tx, [file])

        self._write(verb)

    def unsettled(self, now: datetime, limit: int) -> tuple[Payment, ...]:
        due = {"next_look_at": {"$type": "long", "$lte": ms(now)}}
        with self._database.read() as reading:
            if reading.one(schema.bookings, due, ["_id"]) is None:
                return ()

        def verb(tx: Transaction) -> tuple[Payment, ...]:
            files = [
                BookingFile(each)
                for each in tx.find(schema.bookings, due, sort=[("next_look_at", 1)], limit=limit)
            ]
            waiting = [
                (payment, file)
                for file in files
                for payment in file.payments
                if payment["next_look_at"] is not None and instant(payment["next_look_at"]) <= now
            ]
            waiting.sort(key=lambda pair: pair[0]["next_look_at"])
            for payment, _ in waiting[:limit]:
                pause = min(timedelta(seconds=5 * 2 ** min(payment["looks"], 10)), LONGEST_PAUSE)
                payment["next_look_at"] = ms(now + pause)
                payment["looks"] += 1
            save(tx, files)
            return tuple(payment_of(payment, file.id) for payment, file in waiting[:limit])

        return self._write(verb)

    def refund(self, refund_id: UUID) -> RefundOrder | None:
        with self._database.read() as reading:
            found = reading.one(schema.bookings, {"refunds.id": refund_id}, ["refunds", "payments"])
        if found is None:
            return None
        refund = next(each for each in found["refunds"] if each["id"] == refund_id)
        return RefundOrder(
            id=refund_id,
            booking_id=found["_id"],
            provider_id=payment_in(found, refund["payment_id"])["provider_id"],
            amount=refund["amount"],
            reason=refund["reason"],
            status=refund["status"],
            provider_refund_id=refund["provider_refund_id"],
        )

    def refund_sent(self, refund_id: UUID, provider_refund_id: str, now: datetime) -> None:
        sent = {"status": "processing", "provider_refund_id": provider_refund_id}
        self._mark_refund(refund_id, lambda refund: refund.update(sent), now)

    def refund_failed(self, refund_id: UUID, reason: str, now: datetime) -> None:
        failed = {"status": "failed", "reason": reason[:200]}
        self._mark_refund(refund_id, lambda refund: refund.update(failed), now)

    def _mark_refund(self, refund_id: UUID, mark: Callable[[Document], None], now: datetime) -> None:
        def verb(tx: Transaction) -> None:
            pending = {"refunds": {"$elemMatch": {"id": refund_id, "status": "pending"}}}
            file = opened_by(tx, pending)
            if file is not None:
                mark(next(each for each in file.refunds if each["id"] == refund_id))
                keep_payment_status(file, now)
                save(tx, [file])

        self._write(verb)

    def _turns(self, booking_id: UUID) -> list[UUID]:
        """The booking, and what it draws on."""
        with self._database.read() as reading:
            return [booking_id, *counters_drawn_on(reading, booking_id)]


def _with_payment(tx: Transaction, payment_id: UUID) -> BookingFile:
    file = opened_by(tx, {"payments.id": payment_id})
    if file is None:
        raise LookupError("there is no such payment")
    return file


def _payable(file: BookingFile, now: datetime) -> Booking:
    booking = file.booking
    require_held(booking, now)
    if booking.to_pay == 0:
        raise Refused(Code.PAYMENT_NOT_NEEDED)
    return booking


def _goes_on(payment: Payment, booking: Booking, now: datetime) -> bool:
    """Whether the payer can still use this session."""
    if payment.amount != booking.price.total or payment.currency != booking.price.currency:
        return False
    return payment.state in (PaymentState.OPENING, PaymentState.PENDING) and (
        payment.session_ends_at is None or now < payment.session_ends_at
    )


def _seen(tx: Transaction, file: BookingFile, observation: Observation, now: datetime) -> Document:
    """The payment that the module speaks of.

    A webhook may come before the answer to the creation of the payment: then it is the attempt that waits for
    its id. A payment that we did not open at all is kept too, so that its money is accounted for.
    """
    payments = sorted(file.payments, key=lambda each: each["id"])
    for payment in payments:
        if payment["provider_id"] == observation.provider_id:
            return payment
    for payment in payments:
        if payment["provider_id"] is None and payment["amount"] == observation.amount:
            payment["provider_id"] = observation.provider_id
            return payment
    if tx.one(schema.bookings, {"provider_ids": observation.provider_id}, ["_id"]) is not None:
        raise Refused(Code.PAYMENT_MISMATCH)  # one payment pays one booking
    unknown = Payment(
        id=uuid7(),
        booking_id=file.id,
        provider_id=observation.provider_id,
        amount=observation.amount,
        currency=observation.currency,
        state=PaymentState.OPENING,
        captured=0,
        accepted=False,
        redirect_url=None,
        return_url="",
        session_ends_at=None,
        created_at=now,
    )
    file.payments.append(payment_document(unknown, now + FIRST_LOOK))
    return file.payments[-1]
