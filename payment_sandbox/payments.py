"""What can happen to a payment. Every step is one conditional UPDATE: it changes a row in the right
state or none at all, so two callers can never both do it."""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import dataclass

from payment_sandbox.behaviour import Behaviour
from payment_sandbox.bodies import Order, Outcome, RefundOrder
from payment_sandbox.errors import Refusal, not_found
from payment_sandbox.model import Payment, Refund, find_payment, new_id, new_reference
from payment_sandbox.store import now_ms
from payment_sandbox.webhooks import enqueue

INSERT_PAYMENT = """
INSERT INTO payments (id, reference, session_id, status, amount, currency, resource_type, resource_id,
    return_url, metadata, capture_mode, created_at, updated_at, expires_at)
VALUES (:id, :reference, :session_id, 'pending', :amount, :currency, :resource_type, :resource_id,
    :return_url, :metadata, :capture_mode, :now, :now, :expires_at)
"""
AUTHORIZE = """
UPDATE payments SET status = 'authorized', updated_at = :now,
    authorized_amount = COALESCE(:amount, amount), amount = COALESCE(:amount, amount),
    currency = COALESCE(:currency, currency), resource_id = COALESCE(:resource_id, resource_id)
WHERE id = :id AND status = 'pending' AND expires_at > :now
"""
CAPTURE = """
UPDATE payments SET status = 'captured', updated_at = :now,
    captured_amount = COALESCE(:amount, authorized_amount)
WHERE id = :id AND status = 'authorized' AND COALESCE(:amount, 0) <= authorized_amount
"""
CANCEL = """
UPDATE payments SET status = 'cancelled', updated_at = :now
WHERE id = :id AND (status = 'authorized' OR (status = 'pending' AND expires_at > :now))
"""
FAIL = """
UPDATE payments SET status = 'failed', failure = :failure, updated_at = :now
WHERE id = :id AND status = 'pending'
"""
RESERVE_REFUND = """
UPDATE payments SET reserved_amount = reserved_amount + :amount, updated_at = :now
WHERE id = :id AND status IN ('captured', 'partially_refunded')
    AND reserved_amount + :amount <= captured_amount
"""
SETTLE_REFUND = """
UPDATE payments SET refunded_amount = refunded_amount + :amount, updated_at = :now,
    status = CASE WHEN refunded_amount + :amount = captured_amount THEN 'refunded'
        ELSE 'partially_refunded' END
WHERE id = :id
"""
RELEASE_REFUND = """
UPDATE payments SET reserved_amount = reserved_amount - :amount, updated_at = :now WHERE id = :id
"""


@dataclass(frozen=True, slots=True)
class Change:
    """What a payer pays instead of what was asked: only tests do that."""

    amount: int | None = None
    currency: str | None = None
    resource_id: str | None = None


AS_ASKED = Change()


def create(tx: sqlite3.Connection, order: Order, *, capture_mode: str, session_ms: int) -> Payment:
    """A new pending payment with a session that lives `session_ms` milliseconds."""
    now = now_ms()
    payment_id = new_id()
    row = {
        "id": payment_id,
        "reference": new_reference("PAY"),
        "session_id": secrets.token_urlsafe(24),
        "amount": order.amount,
        "currency": order.currency,
        "resource_type": order.resource_type,
        "resource_id": order.resource_id,
        "return_url": order.return_url,
        "metadata": json.dumps(order.metadata),
        "capture_mode": order.capture_mode or capture_mode,
        "now": now,
        "expires_at": now + session_ms,
    }
    tx.execute(INSERT_PAYMENT, row)
    return known(tx, payment_id)


def pay(
    tx: sqlite3.Connection, told: Behaviour, payment_id: str, how: str, change: Change = AS_ASKED
) -> Payment:
    """The payer pays: `how` is authorize, or capture (both steps). Raises Refusal 404 or 409."""
    payment = authorize(tx, told, payment_id, change)
    return capture(tx, told, payment_id, None) if how == "capture" else payment


def authorize(tx: sqlite3.Connection, told: Behaviour, payment_id: str, change: Change) -> Payment:
    """Hold the money of a pending payment. Raises Refusal 404 or 409."""
    values = {"amount": change.amount, "currency": change.currency, "resource_id": change.resource_id}
    payment = _move(tx, AUTHORIZE, payment_id, values)
    enqueue(tx, told.webhooks, payment, "payment.authorized", payment.authorized_amount)
    return payment


def capture(tx: sqlite3.Connection, told: Behaviour, payment_id: str, amount: int | None) -> Payment:
    """Take the held money, once: all of it, or `amount` at most. Raises Refusal 404 or 409."""
    payment = _move(tx, CAPTURE, payment_id, {"amount": amount})
    enqueue(tx, told.webhooks, payment, "payment.captured", payment.captured_amount)
    return payment


def cancel(tx: sqlite3.Connection, told: Behaviour, payment_id: str) -> Payment:
    """Give up a pending or authorised payment. Raises Refusal 404 or 409."""
    payment = _move(tx, CANCEL, payment_id, {})
    enqueue(tx, told.webhooks, payment, "payment.cancelled", payment.amount)
    return payment


def fail(tx: sqlite3.Connection, told: Behaviour, payment_id: str, why: str) -> Payment:
    """End a pending payment as `why`: declined or expired. Raises Refusal 404 or 409."""
    payment = _move(tx, FAIL, payment_id, {"failure": why})
    enqueue(tx, told.webhooks, payment, "payment.failed", payment.amount)
    return payment


def force(tx: sqlite3.Connection, told: Behaviour, payment_id: str, outcome: Outcome) -> Payment:
    """Bring about what a test wants. Raises Refusal 404 or 409."""
    if outcome.outcome in ("decline", "expire"):
        return fail(tx, told, payment_id, "declined" if outcome.outcome == "decline" else "expired")
    payment = known(tx, payment_id)
    if outcome.outcome == "capture" and payment.status == "authorized" and not outcome.changes_something:
        return capture(tx, told, payment_id, None)
    change = Change(outcome.amount, outcome.currency, outcome.resource_id)
    return pay(tx, told, payment_id, outcome.outcome, change)


def refund(tx: sqlite3.Connection, payment_id: str, order: RefundOrder) -> tuple[Payment, Refund]:
    """Begin to pay back: the amount is reserved at once, so refunds never exceed what was captured.

    Raises Refusal 404 or 409.
    """
    payment = known(tx, payment_id)
    now = now_ms()
    reserved = tx.execute(RESERVE_REFUND, {"id": payment_id, "amount": order.amount, "now": now}).rowcount
    if reserved != 1:
        if payment.status in ("captured", "partially_refunded", "refunded"):
            left = payment.captured_amount - payment.reserved_amount
            raise Refusal(409, "REFUND_EXCEEDS_CAPTURED", f"At most {left} can still be refunded.")
        raise _wrong_state(payment)
    row = Refund(
        id=new_id(),
        payment_id=payment_id,
        reference=new_reference("REF"),
        amount=order.amount,
        reason=order.reason,
        details=None if order.details is None else json.dumps(order.details),
        status="processing",
        created_at=now,
        completed_at=None,
    )
    tx.execute(
        "INSERT INTO refunds (id, payment_id, reference, amount, reason, details, status, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (row.id, payment_id, row.reference, row.amount, row.reason, row.details, row.status, now),
    )
    return payment, row


def settle_refunds(tx: sqlite3.Connection, told: Behaviour, payment_id: str | None = None) -> int:
    """Finish refunds under way, of one payment or of all, as told. Returns how many.

    A refund that fails is seen in the payment's `refunds`: the contract has no event for it.
    """
    rows = tx.execute(
        "SELECT id, payment_id, amount FROM refunds WHERE status = 'processing'"
        " AND (? IS NULL OR payment_id = ?) ORDER BY created_at LIMIT 100",
        (payment_id, payment_id),
    ).fetchall()
    for row in rows:
        values = {"id": row["payment_id"], "amount": row["amount"], "now": now_ms()}
        tx.execute(
            "UPDATE refunds SET status = ?, completed_at = ? WHERE id = ? AND status = 'processing'",
            (told.refund_outcome, values["now"], row["id"]),
        )
        if told.refund_outcome == "failed":
            tx.execute(RELEASE_REFUND, values)
            continue
        tx.execute(SETTLE_REFUND, values)
        enqueue(tx, told.webhooks, known(tx, row["payment_id"]), "payment.refunded", row["amount"])
    return len(rows)


def expire_due(tx: sqlite3.Connection, told: Behaviour) -> int:
    """Fail the pending payments whose session has ended. Returns how many."""
    rows = tx.execute(
        "SELECT id FROM payments WHERE status = 'pending' AND expires_at <= ? ORDER BY expires_at LIMIT 100",
        (now_ms(),),
    ).fetchall()
    for row in rows:
        fail(tx, told, row["id"], "expired")
    return len(rows)


def current(tx: sqlite3.Connection, told: Behaviour, payment_id: str) -> Payment:
    """The payment as of now: a session that has just ended is failed first. Raises Refusal 404."""
    payment = known(tx, payment_id)
    if payment.status == "pending" and payment.expires_at <= now_ms():
        return fail(tx, told, payment_id, "expired")
    return payment


def known(connection: sqlite3.Connection, payment_id: str) -> Payment:
    """The payment as it is stored. Raises Refusal 404."""
    payment = find_payment(connection, payment_id)
    if payment is None:
        raise not_found()
    return payment


def _move(
    tx: sqlite3.Connection, statement: str, payment_id: str, values: dict[str, int | str | None]
) -> Payment:
    changed = tx.execute(statement, {**values, "id": payment_id, "now": now_ms()}).rowcount
    payment = known(tx, payment_id)
    if changed != 1:
        raise _wrong_state(payment)
    return payment


def _wrong_state(payment: Payment) -> Refusal:
    if payment.status == "pending" and payment.expires_at <= now_ms():
        return Refusal(409, "SESSION_EXPIRED", "The payment session has ended.")
    return Refusal(409, "INVALID_STATE", f"Not possible: the payment is {payment.status}.")
