"""Carrying out what `domain.payments.decide` decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from common.identifiers import uuid7
from common.mongo.transaction import Transaction
from common.mongo.values import Document
from ticketing_service.domain.bookings import (
    BookingStatus,
    Observation,
    PaymentState,
    PaymentStatus,
)
from ticketing_service.domain.claims import seat_claims, voucher_claims
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.payments import Decision, DecisionKind, decide
from ticketing_service.domain.refunds import CancellationPlan
from ticketing_service.domain.slots import SlotStatus
from ticketing_service.storage.mongo.booking_file import BookingFile, apply_moves
from ticketing_service.storage.mongo.cancelling import cancel_units
from ticketing_service.storage.mongo.confirming import admit, confirm
from ticketing_service.storage.mongo.counters import claim, settle, take
from ticketing_service.storage.mongo.endings import (
    end_hold,
    expire_on_counter,
    order_refund,
    refund_document,
    void_open_payments,
    void_promises,
)
from ticketing_service.storage.mongo.ledger import add_entries
from ticketing_service.storage.mongo.outbox import add_task
from ticketing_service.storage.mongo.payment_records import payment_of, payments_in
from ticketing_service.storage.mongo.slots import offers_in
from ticketing_service.storage.mongo.vouchers import voucher_in
from ticketing_service.storage.ports.bookings import Cancellation
from ticketing_service.storage.ports.calls import Issue
from ticketing_service.storage.records.entries import EntryKind, booking_entry

_UNCAPTURED = (PaymentState.PENDING, PaymentState.AUTHORIZED)
_ENDED = (PaymentState.FAILED, PaymentState.VOIDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What a decision is carried out on. `payment` lies in the file; `before` is what it was."""

    tx: Transaction
    file: BookingFile
    payment: Document
    before: PaymentState
    observed: Observation
    decision: Decision
    issue: Issue
    actor: str
    now: datetime

    @property
    def is_captured(self) -> bool:
        return self.observed.state not in _UNCAPTURED


def apply_decision(
    tx: Transaction,
    file: BookingFile,
    payment: Document,
    observed: Observation,
    issue: Issue,
    actor: str,
    now: datetime,
) -> None:
    """Decide, keep the payment's new state, and do what the decision asks for. The caller saves the file."""
    accepted = next((each for each in payments_in(file.document) if each.accepted), None)
    known = payment_of(payment, file.id)
    decision = decide(file.booking, known, observed, accepted, now)
    if decision.kind is DecisionKind.NOTHING:
        return
    payment["state"] = decision.state.value
    payment["captured"] = max(known.captured, observed.captured)
    case = _Case(
        tx=tx,
        file=file,
        payment=payment,
        before=known.state,
        observed=observed,
        decision=decision,
        issue=issue,
        actor=actor,
        now=now,
    )
    _CARRY_OUT[decision.kind](case)


def _record(case: _Case) -> None:
    """An accepted payment that ended without money takes the refunds with it that were promised of it."""
    if not case.payment["accepted"] or case.decision.state not in _ENDED:
        return
    void_promises(case.tx, case.file, case.payment, case.now)


def _confirm(case: _Case) -> None:
    _accept(case, "paid")


def _accept(case: _Case, reason: str) -> None:
    """Held becomes sold in this commit; an authorisation is captured from the outbox after it."""
    case.payment["accepted"] = True
    status = PaymentStatus.CAPTURED if case.is_captured else PaymentStatus.AUTHORIZED
    issue = case.issue if case.is_captured else None
    confirm(case.tx, case.file, status, issue, case.actor, reason, case.now)
    if not case.is_captured:
        add_task(case.tx, "capture", {"paymentId": str(case.payment["id"])}, case.now)
    void_open_payments(case.tx, case.file, case.now, but=case.payment["id"])
    settle(case.file)


def _retake(case: _Case) -> None:
    """Paid too late: the places again if they are free, in one decision; else the money back."""
    booking = case.file.booking
    if booking.status is BookingStatus.ON_HOLD and booking.expires_at <= case.now:
        end_hold(case.tx, case.file, case.now)
        apply_moves(case.tx, [case.file])
    if case.file.booking.status is not BookingStatus.EXPIRED:
        raise Refused(Code.BOOKING_NOT_FOUND)
    try:
        _take_again(case)
    except Refused as refused:
        amount = case.decision.amount or case.observed.amount
        _give_money_back(case, refused.code.name.lower(), amount)
        return
    _accept(case, "paid after the hold had ended")


def _take_again(case: _Case) -> None:
    booking = case.file.booking
    offers = offers_in(case.tx, (item.slot_id for item in booking.items))
    if any(
        item.slot_id not in offers or offers[item.slot_id].slot.status is not SlotStatus.OPEN
        for item in booking.items
    ):
        raise Refused(Code.SLOT_CLOSED)
    voucher = voucher_in(case.tx, booking.voucher_code) if booking.voucher_code else None
    uses = voucher_claims(voucher, booking.customer)
    claims = [*seat_claims(booking.items, offers), *(claim for claim, _ in uses)]
    own = {counter.id: counter for _, counter in uses if counter.id != booking.voucher_id}
    take(case.tx, claims, lambda counter_id: expire_on_counter(case.tx, counter_id, case.now), own)
    claim(case.file, claims, case.now)
    case.file.takes_places = True


def _return_money(case: _Case) -> None:
    _give_money_back(case, case.decision.reason or "not needed", case.decision.amount)


def _give_money_back(case: _Case, reason: str, amount: int) -> None:
    """Void what is not captured yet, refund what is; neither touches the books, as it never was revenue."""
    if case.is_captured:
        order_refund(case.tx, case.file, case.payment, amount, reason, case.now)
    else:
        add_task(case.tx, "void", {"paymentId": str(case.payment["id"])}, case.now)
    if case.observed.state is not PaymentState.PENDING:
        payload = {"bookingId": str(case.file.id), "template": "payment_returned", "amount": amount}
        add_task(case.tx, "mail", payload, case.now)
    _note(case, f"payment returned: {reason}")


def _fail(case: _Case) -> None:
    _note(case, "payment failed")


def _captured(case: _Case) -> None:
    admit(case.tx, case.file, case.issue, case.now)


def _capture_refused(case: _Case) -> None:
    reason = case.decision.reason or "refused"
    refuse_capture(case.tx, case.file, case.payment, case.before, reason, case.decision.amount, case.now)


def refuse_capture(
    tx: Transaction,
    file: BookingFile,
    payment: Document,
    before: PaymentState,
    reason: str,
    amount: int,
    now: datetime,
) -> None:
    """The money will not come: the booking is cancelled, its places go back, and the customer is told.
    `before` is the state in which the payment was.
    """
    payment["accepted"] = False
    void_promises(tx, file, payment, now)
    living = tuple(u.id for u in file.booking.unit_items if u.status is not BookingStatus.CANCELLED)
    plan = CancellationPlan(
        unit_ids=living, refund_by_unit=dict.fromkeys(living, 0), fee_refund=0, total=0, whole=True
    )
    cancellation = Cancellation(actor="system", reason=f"capture refused: {reason}")
    if living:
        cancel_units(tx, file, plan, cancellation, now, mail="capture_refused")
    if amount:
        order_refund(tx, file, payment, amount, reason, now)
    elif before in _UNCAPTURED:
        add_task(tx, "void", {"paymentId": str(payment["id"])}, now)


def _refunded_outside(case: _Case) -> None:
    """Somebody refunded at the module itself: our books follow."""
    amount = case.decision.amount
    reason = "refunded at the payment module"
    case.file.refunds.append(
        refund_document(uuid7(), case.payment["id"], amount, reason, "refunded", case.now)
    )
    case.payment["refund_ordered"] += amount
    if case.payment["accepted"]:
        add_entries(case.tx, [booking_entry(case.file.booking, EntryKind.REFUND, amount, case.now)])


def _note(case: _Case, reason: str) -> None:
    status = case.file.booking.status
    case.file.note(status, status, case.actor, reason, case.now)


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
