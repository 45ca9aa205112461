"""Cancelling a booking, whole or by unit item: places back, money back, admissions void."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from common.mongo.transaction import Transaction
from ticketing_service.domain.bookings import (
    Booking,
    BookingStatus,
    PaymentStatus,
    Refund,
    derived_status,
)
from ticketing_service.domain.refunds import CancellationPlan
from ticketing_service.storage.mongo.admissions import cancel_admissions
from ticketing_service.storage.mongo.booking_file import BookingFile
from ticketing_service.storage.mongo.counters import give_back, give_back_credit, give_back_people
from ticketing_service.storage.mongo.endings import order_refund, void_open_payments
from ticketing_service.storage.mongo.ledger import add_entries
from ticketing_service.storage.mongo.outbox import add_tasks
from ticketing_service.storage.ports.bookings import Cancellation
from ticketing_service.storage.records.bookings import (
    is_told,
    kinds_that_end,
    people_by_item,
    with_statuses,
)
from ticketing_service.storage.records.entries import refund_entries


def cancel_units(
    tx: Transaction,
    file: BookingFile,
    plan: CancellationPlan,
    cancellation: Cancellation,
    now: datetime,
    mail: str,
) -> Booking:
    """Carry out `plan`; `mail` is the template the customer gets. The caller saves the file."""
    before = file.booking
    if plan.whole:
        give_back(file, kinds_that_end(before))
    else:
        give_back_people(file, people_by_item(before, plan))
    cancel_admissions(tx, plan.unit_ids, now)
    refund = None
    if before.on_account:
        give_back_credit(file, plan.total)
        add_entries(tx, refund_entries(before, plan, now))
    else:
        refund = _return_money(tx, file, plan, cancellation.reason, now)
    cancelled = with_statuses(before, dict.fromkeys(plan.unit_ids, BookingStatus.CANCELLED))
    cancelled = replace(
        cancelled,
        status=derived_status(unit.status for unit in cancelled.unit_items),
        payment_status=PaymentStatus.REFUND_PENDING if refund else before.payment_status,
        version=before.version + 1,
        updated_at=now,
    )
    after = file.keep(cancelled)
    part = f"{cancellation.reason} ({len(plan.unit_ids)} of {len(before.unit_items)})"
    file.note(before.status, after.status, cancellation.actor, part, now)
    _tell(tx, file, before, plan, cancellation.reason, mail, now)
    return after


def _tell(
    tx: Transaction,
    file: BookingFile,
    before: Booking,
    plan: CancellationPlan,
    reason: str,
    mail: str,
    now: datetime,
) -> None:
    """Queue what follows outside. Who gives a hold back needs no mail."""
    if before.status is BookingStatus.ON_HOLD:
        void_open_payments(tx, file, now)
        if mail == "cancelled":
            return
    payload: dict[str, Any] = {"bookingId": str(file.id)}
    # what a reseller owes is none of its customer's business
    amount = 0 if before.on_account else plan.total
    tasks = [("mail", payload | {"template": mail, "refund": amount, "reason": reason})]
    if not is_told(before, always=mail != "cancelled"):
        tasks = []
    if not plan.whole:
        tasks.append(("document", payload))
    add_tasks(tx, tasks, now)


def _return_money(
    tx: Transaction, file: BookingFile, plan: CancellationPlan, reason: str, now: datetime
) -> Refund | None:
    """The refund that the plan asks for, ordered and in the books; None without anything to give back."""
    accepted = next((each for each in file.payments if each["accepted"]), None)
    if not plan.total or accepted is None:
        return None
    booking = file.booking
    refund = order_refund(tx, file, accepted, plan.total, reason, now)
    if refund is not None:
        add_entries(tx, refund_entries(booking, plan, now))
    return refund
