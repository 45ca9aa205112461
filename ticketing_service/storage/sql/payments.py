"""Payments: one decision each time something is learned of one, with all that follows in the same commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, insert, literal, select, update

from common.database.engine import Database
from common.identifiers import uuid7
from common.web.idempotency import Idempotency
from ticketing_service.domain.bookings import (
    Booking,
    Observation,
    Payment,
    PaymentState,
)
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.states import require_held
from ticketing_service.storage.ports.calls import Issue
from ticketing_service.storage.ports.payments import PaymentSession, RefundOrder
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.booking_records import booking_in
from ticketing_service.storage.sql.payment_decisions import apply_decision, refuse_capture
from ticketing_service.storage.sql.payment_records import (
    keep_payment_status,
    payment_of,
    payments_in,
    settle_refunds,
)
from ticketing_service.storage.sql.writing import Writer

FIRST_LOOK = timedelta(seconds=20)
LONGEST_PAUSE = timedelta(minutes=5)
_payments, _refunds = schema.payments, schema.refunds


class SqlPayments:
    """`storage.ports.payments.PaymentStore` on SQL."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._write = writer

    def open_attempt(self, booking_id: UUID, return_url: str, now: datetime) -> Payment:
        def verb(connection: Connection) -> Payment:
            booking = _payable(connection, booking_id, now)
            for payment in payments_in(connection, booking_id):
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
            _insert(connection, payment, now)
            keep_payment_status(connection, booking, now)
            return payment

        return self._write(verb)

    def opened(self, payment_id: UUID, session: PaymentSession, now: datetime) -> Payment:
        ends_at = literal(session.session_ends_at, _payments.c.session_ends_at.type)

        def verb(connection: Connection) -> Payment:
            connection.execute(
                update(_payments)
                .where(_payments.c.id == payment_id)
                .values(
                    provider_id=session.provider_id,
                    redirect_url=session.redirect_url,
                    # one that was voided meanwhile has ended
                    session_ends_at=func.coalesce(_payments.c.session_ends_at, ends_at),
                )
            )
            connection.execute(
                update(_payments)
                .where(_payments.c.id == payment_id, _payments.c.state == PaymentState.OPENING.value)
                .values(state=PaymentState.PENDING.value)
            )
            return payment_of(connection.execute(select(_payments).where(_payments.c.id == payment_id)).one())

        return self._write(verb)

    def get(self, payment_id: UUID) -> Payment | None:
        with self._database.read() as connection:
            row = connection.execute(select(_payments).where(_payments.c.id == payment_id)).one_or_none()
            return None if row is None else payment_of(row)

    def of_booking(self, booking_id: UUID) -> tuple[Payment, ...]:
        with self._database.read() as connection:
            return payments_in(connection, booking_id)

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
        def verb(connection: Connection) -> Booking:
            booking = booking_in(connection, booking_id, lock=True)
            if booking is None:
                raise Refused(Code.BOOKING_NOT_FOUND)
            if observation.resource_id != str(booking_id):
                # money that stands for another booking must not be touched from here
                raise Refused(Code.PAYMENT_MISMATCH)
            payment = _seen(connection, booking, observation, now)
            apply_decision(connection, booking, payment, observation, issue, actor, now)
            settle_refunds(connection, payment.id, refunds, now)
            after = booking_in(connection, booking_id)
            assert after is not None  # noqa: S101 it is locked
            return keep_payment_status(connection, after, now)

        return self._write(verb, idempotency)

    def capture_refused(self, payment_id: UUID, reason: str, now: datetime) -> None:
        def verb(connection: Connection) -> None:
            this = select(_payments).where(_payments.c.id == payment_id)
            booking = booking_in(connection, connection.execute(this).one().booking_id, lock=True)
            # read under the booking's lock: it may have been captured while we waited for it
            payment = payment_of(connection.execute(this).one())
            if booking is not None and payment.accepted and payment.state is PaymentState.AUTHORIZED:
                refuse_capture(connection, booking, payment, reason, 0, now)
                after = booking_in(connection, booking.id)
                keep_payment_status(connection, after or booking, now)

        self._write(verb)

    def unsettled(self, now: datetime, limit: int) -> tuple[Payment, ...]:
        due = (
            select(_payments.c.id)
            .where(_payments.c.next_look_at <= now)
            .order_by(_payments.c.next_look_at)
            .limit(limit)
        )
        with self._database.read() as connection:
            if connection.execute(due.limit(1)).first() is None:
                return ()

        def verb(connection: Connection) -> tuple[Payment, ...]:
            found = []
            for row in connection.execute(
                select(_payments).where(_payments.c.id.in_(list(connection.scalars(due))))
            ):
                pause = min(timedelta(seconds=5 * 2 ** min(row.looks, 10)), LONGEST_PAUSE)
                connection.execute(
                    update(_payments)
                    .where(_payments.c.id == row.id)
                    .values(next_look_at=now + pause, looks=row.looks + 1)
                )
                found.append(payment_of(row))
            return tuple(found)

        return self._write(verb)

    def refund(self, refund_id: UUID) -> RefundOrder | None:
        statement = (
            select(_refunds, _payments.c.provider_id)
            .join(_payments, _payments.c.id == _refunds.c.payment_id)
            .where(_refunds.c.id == refund_id)
        )
        with self._database.read() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        return RefundOrder(
            id=row.id,
            booking_id=row.booking_id,
            provider_id=row.provider_id,
            amount=row.amount,
            reason=row.reason,
            status=row.status,
            provider_refund_id=row.provider_refund_id,
        )

    def refund_sent(self, refund_id: UUID, provider_refund_id: str, now: datetime) -> None:
        self._mark_refund(refund_id, {"status": "processing", "provider_refund_id": provider_refund_id}, now)

    def refund_failed(self, refund_id: UUID, reason: str, now: datetime) -> None:
        self._mark_refund(refund_id, {"status": "failed", "reason": reason[:200]}, now)

    def _mark_refund(self, refund_id: UUID, values: dict[str, str], now: datetime) -> None:
        def verb(connection: Connection) -> None:
            statement = (
                update(_refunds)
                .where(_refunds.c.id == refund_id, _refunds.c.status == "pending")
                .values(values)
            )
            if connection.execute(statement).rowcount:
                booking_id = connection.scalars(
                    select(_refunds.c.booking_id).where(_refunds.c.id == refund_id)
                ).one()
                booking = booking_in(connection, booking_id, lock=True)
                if booking is not None:
                    keep_payment_status(connection, booking, now)

        self._write(verb)


def _payable(connection: Connection, booking_id: UUID, now: datetime) -> Booking:
    booking = booking_in(connection, booking_id, lock=True)
    if booking is None:
        raise Refused(Code.BOOKING_NOT_FOUND)
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


def _seen(connection: Connection, booking: Booking, observation: Observation, now: datetime) -> Payment:
    """The payment that the module speaks of.

    A webhook may come before the answer to the creation of the payment: then it is the attempt that waits for
    its id. A payment that we did not open at all is kept too, so that its money is accounted for.
    """
    payments = payments_in(connection, booking.id)
    for payment in payments:
        if payment.provider_id == observation.provider_id:
            return payment
    for payment in payments:
        if payment.provider_id is None and payment.amount == observation.amount:
            connection.execute(
                update(_payments)
                .where(_payments.c.id == payment.id)
                .values(provider_id=observation.provider_id)
            )
            return replace(payment, provider_id=observation.provider_id)
    known = select(_payments.c.id).where(_payments.c.provider_id == observation.provider_id)
    if connection.execute(known).first() is not None:
        raise Refused(Code.PAYMENT_MISMATCH)  # one payment pays one booking
    payment = Payment(
        id=uuid7(),
        booking_id=booking.id,
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
    _insert(connection, payment, now)
    return payment


def _insert(connection: Connection, payment: Payment, now: datetime) -> None:
    connection.execute(
        insert(_payments).values(
            id=payment.id,
            booking_id=payment.booking_id,
            provider_id=payment.provider_id,
            amount=payment.amount,
            currency=payment.currency,
            state=payment.state.value,
            captured=0,
            refund_ordered=0,
            accepted=False,
            redirect_url=None,
            return_url=payment.return_url,
            session_ends_at=None,
            next_look_at=now + FIRST_LOOK,
            looks=0,
            created_at=now,
        )
    )
