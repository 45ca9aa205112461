"""Payments and refunds as rows, and what is derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, exists, select, update

from ticketing_service.domain.bookings import Booking, Payment, PaymentState, PaymentStatus
from ticketing_service.domain.payment_summary import payment_status
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.confirming import set_booking
from ticketing_service.storage.sql.endings import OPEN_STATES
from ticketing_service.storage.sql.webhook_events import tell_booking

_payments, _refunds = schema.payments, schema.refunds
_UNSETTLED = ("pending", "processing")


def payments_in(connection: Connection, booking_id: UUID) -> tuple[Payment, ...]:
    """All payments of a booking, the oldest first."""
    statement = select(_payments).where(_payments.c.booking_id == booking_id).order_by(_payments.c.id)
    return tuple(payment_of(row) for row in connection.execute(statement))


def payment_of(row: Row[Any]) -> Payment:
    """The payment in a row."""
    return Payment(
        id=row.id,
        booking_id=row.booking_id,
        provider_id=row.provider_id,
        amount=row.amount,
        currency=row.currency,
        state=PaymentState(row.state),
        captured=row.captured,
        accepted=row.accepted,
        redirect_url=row.redirect_url,
        return_url=row.return_url,
        session_ends_at=row.session_ends_at,
        created_at=row.created_at,
    )


def settle_refunds(
    connection: Connection, payment_id: UUID, states: Mapping[str, str], now: datetime
) -> None:
    """Take over what the module says of our refunds, and stop looking at a payment that has nothing open."""
    rows = connection.execute(
        select(_refunds).where(_refunds.c.payment_id == payment_id, _refunds.c.status.in_(_UNSETTLED))
    ).all()
    for row in rows:
        state = states.get(row.provider_refund_id or "")
        if state in ("refunded", "failed"):
            connection.execute(update(_refunds).where(_refunds.c.id == row.id).values(status=state))
    still_open = exists().where(_refunds.c.payment_id == payment_id, _refunds.c.status.in_(_UNSETTLED))
    connection.execute(
        update(_payments)
        .where(_payments.c.id == payment_id, _payments.c.state.not_in(OPEN_STATES), ~still_open)
        .values(next_look_at=None)
    )


def keep_payment_status(connection: Connection, booking: Booking, now: datetime) -> Booking:
    """Bring the booking's payment status in line with its payments and refunds."""
    rows = connection.execute(select(_refunds).where(_refunds.c.booking_id == booking.id)).all()
    status = payment_status(
        payments_in(connection, booking.id),
        [(row.payment_id, row.amount, row.status) for row in rows],
        PaymentStatus.NONE,
    )
    if status is booking.payment_status:
        return booking
    changed = replace(booking, payment_status=status, version=booking.version + 1, updated_at=now)
    set_booking(connection, changed)
    tell_booking(connection, changed, now)
    return changed
