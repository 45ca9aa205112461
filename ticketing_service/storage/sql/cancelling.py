"""Cancelling a booking, whole or by unit item: places back, money back, admissions void."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from common.database.prepared import Prepared
from ticketing_service.domain.bookings import (
    Booking,
    BookingStatus,
    PaymentStatus,
    Refund,
    derived_status,
)
from ticketing_service.domain.refunds import CancellationPlan
from ticketing_service.storage.ports.bookings import Cancellation
from ticketing_service.storage.records.bookings import (
    is_told,
    kinds_that_end,
    people_by_item,
    with_statuses,
)
from ticketing_service.storage.records.entries import refund_entries
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.admissions import cancel_admissions
from ticketing_service.storage.sql.confirming import (
    set_admits_until,
    set_booking,
)
from ticketing_service.storage.sql.counters import give_back, give_back_credit, give_back_people
from ticketing_service.storage.sql.endings import note, order_refund, void_open_payments
from ticketing_service.storage.sql.ledger import add_entries
from ticketing_service.storage.sql.outbox import add_tasks
from ticketing_service.storage.sql.webhook_events import tell_booking

_units, _payments = schema.unit_items, schema.payments
_CANCEL_UNIT = Prepared(
    update(_units).where(_units.c.id == bindparam("unit")).values(status=BookingStatus.CANCELLED.value)
)


def cancel_units(
    connection: Connection,
    booking: Booking,
    plan: CancellationPlan,
    cancellation: Cancellation,
    now: datetime,
    mail: str,
) -> Booking:
    """Carry out `plan` on a booking that this transaction has locked; `mail` is the template the customer
    gets.
    """
    _CANCEL_UNIT.run_all(connection, ({"unit": unit_id} for unit_id in plan.unit_ids))
    if plan.whole:
        give_back(connection, [booking.id], kinds_that_end(booking))
    else:
        give_back_people(connection, booking.id, people_by_item(booking, plan))
    cancel_admissions(connection, plan.unit_ids, now)
    refund = None
    if booking.on_account:
        give_back_credit(connection, booking.id, plan.total)
        add_entries(connection, refund_entries(booking, plan, now))
    else:
        refund = _return_money(connection, booking, plan, cancellation.reason, now)
    cancelled = with_statuses(booking, dict.fromkeys(plan.unit_ids, BookingStatus.CANCELLED))
    cancelled = replace(
        cancelled,
        status=derived_status(unit.status for unit in cancelled.unit_items),
        payment_status=PaymentStatus.REFUND_PENDING if refund else booking.payment_status,
        refunds=(*booking.refunds, refund) if refund else booking.refunds,
        version=booking.version + 1,
        updated_at=now,
    )
    set_booking(connection, cancelled)
    set_admits_until(connection, booking.id)
    note(
        connection,
        booking,
        cancelled.status,
        cancellation.actor,
        f"{cancellation.reason} ({len(plan.unit_ids)} of {len(booking.unit_items)})",
        now,
    )
    _tell(connection, booking, plan, cancellation.reason, mail, now)
    tell_booking(connection, cancelled, now, places=True)
    return cancelled


def _tell(
    connection: Connection, booking: Booking, plan: CancellationPlan, reason: str, mail: str, now: datetime
) -> None:
    """Queue what follows outside. Who gives a hold back needs no mail."""
    if booking.status is BookingStatus.ON_HOLD:
        void_open_payments(connection, [booking.id], now)
        if mail == "cancelled":
            return
    payload: dict[str, Any] = {"bookingId": str(booking.id)}
    # what a reseller owes is none of its customer's business
    amount = 0 if booking.on_account else plan.total
    tasks = [("mail", payload | {"template": mail, "refund": amount, "reason": reason})]
    if not is_told(booking, always=mail != "cancelled"):
        tasks = []
    if not plan.whole:
        tasks.append(("document", payload))
    add_tasks(connection, tasks, now)


def _return_money(
    connection: Connection, booking: Booking, plan: CancellationPlan, reason: str, now: datetime
) -> Refund | None:
    """The refund that the plan asks for, ordered and in the books; None without anything to give back."""
    statement = select(_payments.c.id).where(
        _payments.c.booking_id == booking.id, _payments.c.accepted.is_(True)
    )
    payment_id = connection.scalars(statement).one_or_none() if plan.total else None
    if payment_id is None:
        return None
    refund = order_refund(connection, payment_id, booking.id, plan.total, reason, now)
    if refund is None:
        return None
    add_entries(connection, refund_entries(booking, plan, now))
    return refund
