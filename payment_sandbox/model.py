"""A payment and its refunds as they lie in the store, and as they are shown."""

from __future__ import annotations

import json
import secrets
import sqlite3
import uuid
from dataclasses import dataclass
from typing import Any

from payment_sandbox.store import iso, now_ms

# No look-alike letters: references are read out on the telephone.
REFERENCE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One row of `payments`. Amounts in minor units, instants in milliseconds since 1970 (UTC).

    `reserved_amount` is what refunds have taken, done or under way; `refunded_amount` what was paid back.
    """

    id: str
    reference: str
    session_id: str
    status: str
    failure: str | None
    amount: int
    currency: str
    authorized_amount: int
    captured_amount: int
    reserved_amount: int
    refunded_amount: int
    resource_type: str
    resource_id: str
    return_url: str | None
    metadata: str
    capture_mode: str
    created_at: int
    updated_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One row of `refunds`; status is processing, refunded or failed."""

    id: str
    payment_id: str
    reference: str
    amount: int
    reason: str | None
    details: str | None
    status: str
    created_at: int
    completed_at: int | None


def find_payment(connection: sqlite3.Connection, payment_id: str) -> Payment | None:
    """The payment, or None."""
    row = connection.execute("SELECT * FROM payments WHERE id = ?", (payment_id,)).fetchone()
    return None if row is None else Payment(**dict(row))


def list_payments(connection: sqlite3.Connection, resource_id: str | None, limit: int) -> list[Payment]:
    """The newest payments first, of one resource or of all."""
    rows = connection.execute(
        "SELECT * FROM payments WHERE ? IS NULL OR resource_id = ? ORDER BY created_at DESC, id DESC LIMIT ?",
        (resource_id, resource_id, limit),
    )
    return [Payment(**dict(row)) for row in rows]


def refunds_of(connection: sqlite3.Connection, payment_id: str) -> list[Refund]:
    """All refunds of a payment, oldest first."""
    rows = connection.execute(
        "SELECT * FROM refunds WHERE payment_id = ? ORDER BY created_at, id", (payment_id,)
    )
    return [Refund(**dict(row)) for row in rows]


def page_url(public_url: str, payment: Payment) -> str:
    """Where the payer's browser goes; it holds the session, so only the merchant is told."""
    return f"{public_url}/api/v1/payments/{payment.id}/page?session={payment.session_id}"


def created_json(payment: Payment, public_url: str) -> dict[str, Any]:
    """The answer to a new payment."""
    return {
        "paymentId": payment.id,
        "transactionReference": payment.reference,
        "sessionId": payment.session_id,
        "sessionData": {"type": "redirect", "amount": payment.amount, "currency": payment.currency},
        "expiresAt": iso(payment.expires_at),
        "redirectUrl": page_url(public_url, payment),
    }


def public_json(payment: Payment) -> dict[str, Any]:
    """What anybody may read who knows the id: enough for a payer's browser, no more."""
    return {
        "paymentId": payment.id,
        "transactionId": payment.id,
        "resourceId": payment.resource_id,
        "status": payment.status,
        "amount": payment.amount,
        "currency": payment.currency,
    }


def full_json(payment: Payment, refunds: list[Refund], public_url: str) -> dict[str, Any]:
    """What the merchant reads."""
    return {
        "paymentId": payment.id,
        "transactionId": payment.id,
        "transactionReference": payment.reference,
        "status": payment.status,
        "failureReason": payment.failure,
        "amount": payment.amount,
        "currency": payment.currency,
        "authorizedAmount": payment.authorized_amount,
        "capturedAmount": payment.captured_amount,
        "refundedAmount": payment.refunded_amount,
        "refunds": [refund_json(refund, payment.currency) for refund in refunds],
        "resourceType": payment.resource_type,
        "resourceId": payment.resource_id,
        "returnUrl": payment.return_url,
        "metadata": json.loads(payment.metadata),
        "redirectUrl": page_url(public_url, payment) if payment.status == "pending" else None,
        "createdAt": iso(payment.created_at),
        "updatedAt": iso(payment.updated_at),
        "expiresAt": iso(payment.expires_at),
    }


def refund_json(refund: Refund, currency: str) -> dict[str, Any]:
    """One refund."""
    return {
        "refundId": refund.id,
        "refundReference": refund.reference,
        "amount": refund.amount,
        "currency": currency,
        "status": refund.status,
        "reason": refund.reason,
        "details": None if refund.details is None else json.loads(refund.details),
        "createdAt": iso(refund.created_at),
        "completedAt": None if refund.completed_at is None else iso(refund.completed_at),
    }


def new_id() -> str:
    """A UUIDv7 (RFC 9562, 5.7): time first, so that rows lie in the order they came."""
    value = (now_ms() << 80) | secrets.randbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(uuid.UUID(int=value))


def new_reference(prefix: str) -> str:
    """A reference for people, such as PAY-7K2M9QX4TB."""
    return prefix + "-" + "".join(secrets.choice(REFERENCE_LETTERS) for _ in range(10))
