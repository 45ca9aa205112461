"""Carrying out what `domain.payments.decide` decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert, update

from common.identifiers import uuid7
from ticketing_service.domain.bookings import (
    Booking,
    BookingStatus,
    Observation,
    Payment,
    PaymentState,
    PaymentStatus,
)
from ticketing_service.domain.claims import seat_claims, voucher_claims
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.payments import Decision, DecisionKind, decide
from ticketing_service.domain.refunds import CancellationPlan
from ticketing_service.domain.slots import SlotStatus
from ticketing_service.storage.ports.bookings import Cancellation
from ticketing_service.storage.ports.calls import Issue
from ticketing_service.storage.records.entries import EntryKind, booking_entry
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.booking_records import booking_in
from ticketing_service.storage.sql.cancelling import cancel_units
from ticketing_service.storage.sql.confirming import admit, confirm
from ticketing_service.storage.sql.counters import settle, take
from ticketing_service.storage.sql.endings import (
    expire,
    expire_on_counter,
    note,
    order_refund,
    void_open_payments,
    void_promises,
)
from ticketing_service.storage.sql.ledger import add_entries
from ticketing_service.storage.sql.outbox import add_task
from ticketing_service.storage.sql.payment_records import payments_in
from ticketing_service.storage.sql.slots import offers_in
from ticketing_service.storage.sql.vouchers import voucher_in

_payments, _refunds = schema.payments, schema.refunds
_UNCAPTURED = (PaymentState.PENDING, PaymentState.AUTHORIZED)
_ENDED = (PaymentState.FAILED, PaymentState.VOIDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What a decision is carried out on."""

    connection: Connection
    booking: Booking
    payment: Payment
    observed: Observation
    decision: Decision
    issue: Issue
    actor: str
    now: datetime

    @property
    def is_captured(self) -> bool:
        return self.observed.state not in _UNCAPTURED


def apply_decision(
    connection: Connection,
    booking: Booking,
    payment: Payment,
    observed: Observation,
    issue: Issue,
    actor: str,
    now: datetime,
) -> None:
    """Decide, keep the payment's new state, and do what the decision asks for."""
    accepted = next((each for each in payments_in(connection, booking.id) if each.accepted), None)
    decision = decide(booking, payment, observed, accepted, now)
    if decision.kind is DecisionKind.NOTHING:
        return
    connection.execute(
        update(_payments)
        .where(_payments.c.id == payment.id)
        .values(state=decision.state.value, captured=max(payment.captured, observed.captured))
    )
    case = _Case(
        connection=connection,
        booking=booking,
        payment=payment,
        observed=observed,
        decision=decision,
        issue=issue,
        actor=actor,
        now=now,
    )
    _CARRY_OUT[decision.kind](case)


def _record(case: _Case) -> None:
    """An accepted payment that ended without money takes the refunds with it that were promised of it."""
    if not case.payment.accepted or case.decision.state not in _ENDED:
        return
    void_promises(case.connection, case.booking.id, case.payment.id, case.now)


def _confirm(case: _Case) -> None:
    _accept(case, case.booking, "paid")


def _accept(case: _Case, booking: Booking, reason: str) -> None:
    """Held becomes sold in this commit; an authorisation is captured from the outbox after it."""
    case.connection.execute(update(_payments).where(_payments.c.id == case.payment.id).values(accepted=True))
    status = PaymentStatus.CAPTURED if case.is_captured else PaymentStatus.AUTHORIZED
    issue = case.issue if case.is_captured else None
    confirm(case.connection, booking, status, issue, case.actor, reason, case.now)
    if not case.is_captured:
        add_task(case.connection, "capture", {"paymentId": str(case.payment.id)}, case.now)
    void_open_payments(case.connection, [booking.id], case.now, but=case.payment.id)
    settle(case.connection, booking.id)


def _retake(case: _Case) -> None:
    """Paid too late: the places again if they are free, in one decision; else the money back."""
    expire(case.connection, [case.booking.id], case.now)
    booking = booking_in(case.connection, case.booking.id)
    if booking is None or booking.status is not BookingStatus.EXPIRED:
        raise Refused(Code.BOOKING_NOT_FOUND)
    attempt = case.connection.begin_nested()
    try:
        _take_again(case, booking)
    except Refused as refused:
        attempt.rollback()
        amount = case.decision.amount or case.observed.amount
        _give_money_back(replace(case, booking=booking), refused.code.name.lower(), amount)
        return
    attempt.commit()
    _accept(case, booking, "paid after the hold had ended")


def _take_again(case: _Case, booking: Booking) -> None:
    offers = offers_in(case.connection, (item.slot_id for item in booking.items), lock=True)
    if any(
        item.slot_id not in offers or offers[item.slot_id].slot.status is not SlotStatus.OPEN
        for item in booking.items
    ):
        raise Refused(Code.SLOT_CLOSED)
    voucher = voucher_in(case.connection, booking.voucher_code) if booking.voucher_code else None
    uses = voucher_claims(voucher, booking.customer)
    release: Callable[[UUID], bool] = lambda counter_id: expire_on_counter(  # noqa: E731
        case.connection, counter_id, case.now
    )
    claims = [*seat_claims(booking.items, offers), *(claim for claim, _ in uses)]
    own = {counter.id: counter for _, counter in uses if counter.id != booking.voucher_id}
    take(case.connection, booking.id, claims, case.now, release, own)


def _return_money(case: _Case) -> None:
    _give_money_back(case, case.decision.reason or "not needed", case.decision.amount)


def _give_money_back(case: _Case, reason: str, amount: int) -> None:
    """Void what is not captured yet, refund what is; neither touches the books, as it never was revenue."""
    if case.is_captured:
        order_refund(case.connection, case.payment.id, case.booking.id, amount, reason, case.now)
    else:
        add_task(case.connection, "void", {"paymentId": str(case.payment.id)}, case.now)
    if case.observed.state is not PaymentState.PENDING:
        payload = {"bookingId": str(case.booking.id), "template": "payment_returned", "amount": amount}
        add_task(case.connection, "mail", payload, case.now)
    _note(case, f"payment returned: {reason}")


def _fail(case: _Case) -> None:
    _note(case, "payment failed")


def _captured(case: _Case) -> None:
    admit(case.connection, case.booking, case.issue, case.now)


def _capture_refused(case: _Case) -> None:
    reason = case.decision.reason or "refused"
    refuse_capture(case.connection, case.booking, case.payment, reason, case.decision.amount, case.now)


def refuse_capture(
    connection: Connection, booking: Booking, payment: Payment, reason: str, amount: int, now: datetime
) -> None:
    """The money will not come: the booking is cancelled, its places go back, and the customer is told."""
    connection.execute(update(_payments).where(_payments.c.id == payment.id).values(accepted=False))
    void_promises(connection, booking.id, payment.id, now)
    living = tuple(u.id for u in booking.unit_items if u.status is not BookingStatus.CANCELLED)
    plan = CancellationPlan(
        unit_ids=living, refund_by_unit=dict.fromkeys(living, 0), fee_refund=0, total=0, whole=True
    )
    cancellation = Cancellation(actor="system", reason=f"capture refused: {reason}")
    if living:
        cancel_units(connection, booking, plan, cancellation, now, mail="capture_refused")
    if amount:
        order_refund(connection, payment.id, booking.id, amount, reason, now)
    elif payment.state in _UNCAPTURED:
        add_task(connection, "void", {"paymentId": str(payment.id)}, now)


def _refunded_outside(case: _Case) -> None:
    """Somebody refunded at the module itself: our books follow."""
    case.connection.execute(
        insert(_refunds).values(
            id=uuid7(),
            booking_id=case.booking.id,
            payment_id=case.payment.id,
            amount=case.decision.amount,
            reason="refunded at the payment module",
            status="refunded",
            created_at=case.now,
        )
    )
    case.connection.execute(
        update(_payments)
        .where(_payments.c.id == case.payment.id)
        .values(refund_ordered=_payments.c.refund_ordered + case.decision.amount)
    )
    if case.payment.accepted:
        add_entries(
            case.connection, [booking_entry(case.booking, EntryKind.REFUND, case.decision.amount, case.now)]
        )


def _note(case: _Case, reason: str) -> None:
    note(case.connection, case.booking, case.booking.status, case.actor, reason, case.now)


_CARRY_OUT: dict[DecisionKind, Callable[[_Case], None]] = {
    DecisionKind.RECORD: _record,
    DecisionKind.CONFIRM: _confirm,
    DecisionKind.RETAKE: _retake,
    DecisionKind.RETURN_MONEY: _return_money,
    DecisionKind.FAIL: _fail,
    DecisionKind.CAPTURED: _captured,
    DecisionKind.CAPTURE_REFUSED: _capture_refused,
    DecisionKind.REFUNDED_OUTSIDE: _refunded_outside,
}
