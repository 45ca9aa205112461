"""What a booking says of its payments in one word."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ticketing_service.domain.bookings import Payment, PaymentState, PaymentStatus

_STATUS = {
    PaymentState.OPENING: PaymentStatus.PENDING,
    PaymentState.PENDING: PaymentStatus.PENDING,
    PaymentState.AUTHORIZED: PaymentStatus.AUTHORIZED,
    PaymentState.CAPTURED: PaymentStatus.CAPTURED,
    PaymentState.FAILED: PaymentStatus.FAILED,
    PaymentState.VOIDED: PaymentStatus.VOIDED,
    PaymentState.PARTIALLY_REFUNDED: PaymentStatus.PARTIALLY_REFUNDED,
    PaymentState.REFUNDED: PaymentStatus.REFUNDED,
}


def payment_status(
    payments: Sequence[Payment], refunds: Sequence[tuple[UUID, int, str]], default: PaymentStatus
) -> PaymentStatus:
    """The payment on which the booking stands decides, else the newest; `refunds` are (payment, amount,
    status).

    `default` is what a booking without payments says.
    """
    if not payments:
        return default
    main = next((each for each in payments if each.accepted), max(payments, key=lambda each: each.created_at))
    mine = [
        (amount, status)
        for payment_id, amount, status in refunds
        if payment_id == main.id and status != "void"
    ]
    statuses = {status for _, status in mine}
    if "failed" in statuses:
        return PaymentStatus.REFUND_FAILED
    if statuses & {"pending", "processing"}:
        return PaymentStatus.REFUND_PENDING
    if mine:
        whole = sum(amount for amount, _ in mine) >= main.captured
        return PaymentStatus.REFUNDED if whole else PaymentStatus.PARTIALLY_REFUNDED
    return _STATUS[main.state]
