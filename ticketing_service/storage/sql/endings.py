"""How a booking ends without being used: holds that run out, and money that goes back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, case, func, insert, select, true, update

from common.database.prepared import Prepared, Target
from common.identifiers import uuid7
from ticketing_service.domain.bookings import Booking, BookingStatus, PaymentState, Refund
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.counters import expired_on, give_back
from ticketing_service.storage.sql.ledger import take_back_refunds
from ticketing_service.storage.sql.outbox import add_task, add_tasks
from ticketing_service.storage.sql.webhook_events import tell_bookings
from ticketing_service.storage.sql.writing import note_expired

RELEASE_BATCH = 200
_bookings, _units, _payments = schema.bookings, schema.unit_items, schema.payments
_INSERT_HISTORY = Prepared(insert(schema.history))
OPEN_STATES = (PaymentState.OPENING.value, PaymentState.PENDING.value, PaymentState.AUTHORIZED.value)


def write_history(
    target: Target,
    booking_ids: Sequence[UUID],
    now: datetime,
    *,
    actor: str,
    from_status: str | None,
    to_status: str,
    reason: str,
) -> None:
    """One history row for each booking."""
    _INSERT_HISTORY.run_all(
        target,
        (
            {
                "id": uuid7(),
                "booking_id": booking_id,
                "at": now,
                "actor": actor[:120],
                "from_status": from_status,
                "to_status": to_status,
                "reason": reason[:500],
            }
            for booking_id in booking_ids
        ),
    )


def note(
    target: Target, before: Booking, after: BookingStatus, actor: str, reason: str, now: datetime
) -> None:
    """The history row of one booking that was `before` and whose status is now `after`."""
    write_history(
        target,
        [before.id],
        now,
        actor=actor,
        from_status=before.status.value,
        to_status=after.value,
        reason=reason,
    )


def expire(connection: Connection, candidates: Sequence[UUID], now: datetime) -> int:
    """End those of the bookings whose hold has run out: places back, open payment sessions voided. Says how
    many.
    """
    if not candidates:
        return 0
    due = select(_bookings.c.id, _bookings.c.is_test).where(
        _bookings.c.id.in_(candidates),
        _bookings.c.status == BookingStatus.ON_HOLD.value,
        _bookings.c.expires_at <= now,
    )
    found = connection.execute(due.order_by(_bookings.c.id).with_for_update()).all()
    ids = [row.id for row in found]
    if not ids:
        return 0
    connection.execute(
        update(_bookings)
        .where(_bookings.c.id.in_(ids))
        .values(status=BookingStatus.EXPIRED.value, version=_bookings.c.version + 1, updated_at=now)
    )
    connection.execute(
        update(_units).where(_units.c.booking_id.in_(ids)).values(status=BookingStatus.EXPIRED.value)
    )
    give_back(connection, ids)
    write_history(
        connection,
        ids,
        now,
        actor="system",
        from_status=BookingStatus.ON_HOLD.value,
        to_status=BookingStatus.EXPIRED.value,
        reason="the hold ran out",
    )
    void_open_payments(connection, ids, now)
    tell_bookings(connection, ids, now)
    note_expired(connection, sum(not row.is_test for row in found))
    return len(ids)


def expire_on_counter(connection: Connection, counter_id: UUID, now: datetime) -> bool:
    """Release expired holds that stand on a counter; whether there were any."""
    return expire(connection, expired_on(connection, counter_id, now, RELEASE_BATCH), now) > 0


def void_open_payments(
    connection: Connection, booking_ids: Sequence[UUID], now: datetime, *, but: UUID | None = None
) -> None:
    """Have the worker close the payment sessions that are still open; nobody is sent to them any more."""
    others = true() if but is None else _payments.c.id != but
    open_ones = (_payments.c.booking_id.in_(booking_ids), _payments.c.state.in_(OPEN_STATES), others)
    ids = list(connection.scalars(select(_payments.c.id).where(*open_ones)))
    if ids:
        connection.execute(update(_payments).where(_payments.c.id.in_(ids)).values(session_ends_at=now))
        add_tasks(connection, [("void", {"paymentId": str(payment_id)}) for payment_id in ids], now)


def order_refund(
    connection: Connection, payment_id: UUID, booking_id: UUID, amount: int, reason: str, now: datetime
) -> Refund | None:
    """Promise money back, and have the worker ask for it. None when more would go back than came in.

    The bound is what was captured; while a capture is still under way, what it will be.
    """
    bound = case((_payments.c.captured > 0, _payments.c.captured), else_=_payments.c.amount)
    ordered = connection.execute(
        update(_payments)
        .where(_payments.c.id == payment_id, _payments.c.refund_ordered + amount <= bound)
        .values(
            refund_ordered=_payments.c.refund_ordered + amount,
            next_look_at=now + timedelta(seconds=30),
            looks=0,
        )
    )
    if ordered.rowcount == 0:
        return None
    refund = Refund(
        id=uuid7(),
        payment_id=payment_id,
        amount=amount,
        reason=reason[:200],
        status="pending",
        created_at=now,
    )
    connection.execute(
        insert(schema.refunds).values(
            id=refund.id,
            booking_id=booking_id,
            payment_id=payment_id,
            amount=refund.amount,
            reason=refund.reason,
            status=refund.status,
            created_at=now,
        )
    )
    add_task(connection, "refund", {"refundId": str(refund.id)}, now)
    return refund


def void_promises(connection: Connection, booking_id: UUID, payment_id: UUID, now: datetime) -> None:
    """Take back the refunds that were promised of a payment whose money never came."""
    promised = (schema.refunds.c.payment_id == payment_id, schema.refunds.c.status == "pending")
    amount = connection.scalar(select(func.sum(schema.refunds.c.amount)).where(*promised))
    if amount is None:
        return
    connection.execute(update(schema.refunds).where(*promised).values(status="void"))
    connection.execute(
        update(_payments)
        .where(_payments.c.id == payment_id)
        .values(refund_ordered=_payments.c.refund_ordered - int(amount))
    )
    take_back_refunds(connection, booking_id, now)
