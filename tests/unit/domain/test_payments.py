"""Decisions about payments: every answer of the module, in every state of the booking."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from tests.unit.domain.builders import NOW, booking, observation, payment, uid
from ticketing_service.domain.bookings import Booking, BookingStatus, Payment, PaymentState, Refund
from ticketing_service.domain.payments import Decision, DecisionKind, decide, money_back, money_left

HELD = booking(BookingStatus.ON_HOLD)
SOLD = booking(BookingStatus.CONFIRMED)
TOTAL = HELD.price.total
ENDED = HELD.expires_at
PAID = (PaymentState.AUTHORIZED, PaymentState.CAPTURED)
UNFINISHED = (PaymentState.OPENING, PaymentState.PENDING)


def _decide(
    state: PaymentState,
    of: Booking = HELD,
    stored: PaymentState = PaymentState.PENDING,
    accepted: Payment | None = None,
    at: Any = NOW,
    **observed: Any,
) -> Decision:
    return decide(of, payment(of, stored), observation(of, state, **observed), accepted, at)


def _accepted(state: PaymentState, stored: PaymentState, of: Booking = SOLD, **observed: Any) -> Decision:
    stands_on = payment(of, stored, accepted=True)
    return decide(of, stands_on, observation(of, state, **observed), stands_on, NOW)


@pytest.mark.parametrize("state", PAID)
@pytest.mark.parametrize("stored", UNFINISHED)
def test_a_hold_that_is_paid_in_time_is_confirmed(state: PaymentState, stored: PaymentState) -> None:
    last = ENDED - timedelta(milliseconds=1)
    assert _decide(state, stored=stored, at=last) == Decision(kind=DecisionKind.CONFIRM, state=state)


@pytest.mark.parametrize("state", PAID)
def test_a_hold_whose_time_is_over_is_retaken_whether_or_not_a_worker_has_seen_it(
    state: PaymentState,
) -> None:
    assert _decide(state, at=ENDED).kind is DecisionKind.RETAKE
    assert _decide(state, of=booking(BookingStatus.EXPIRED)).kind is DecisionKind.RETAKE


@pytest.mark.parametrize("state", PAID)
def test_late_money_for_a_past_slot_goes_back(state: PaymentState) -> None:
    sales_end = HELD.items[0].sales_end_at
    assert _decide(state, at=sales_end - timedelta(milliseconds=1)).kind is DecisionKind.RETAKE
    late = _decide(state, at=sales_end)
    assert late == Decision(kind=DecisionKind.RETURN_MONEY, state=state, reason="past", amount=TOTAL)


@pytest.mark.parametrize("state", PAID)
@pytest.mark.parametrize(
    "observed",
    [
        {"amount": TOTAL - 1, "captured": TOTAL - 1},
        {"amount": TOTAL + 1, "captured": TOTAL + 1},
        {"currency": "USD"},
        {"resource_id": str(uid("another booking"))},
        {"provider_id": "pay_2"},
    ],
    ids=["less", "more", "currency", "resource", "payment"],
)
def test_money_that_does_not_match_exactly_goes_back(state: PaymentState, observed: dict[str, Any]) -> None:
    if state is PaymentState.AUTHORIZED:
        observed = {**observed, "captured": 0}
    decision = _decide(state, **observed)
    assert (decision.kind, decision.reason) == (DecisionKind.RETURN_MONEY, "mismatch")
    assert decision.amount == observed.get("amount", TOTAL)


def test_a_capture_of_a_part_does_not_confirm() -> None:
    decision = _decide(PaymentState.CAPTURED, captured=TOTAL - 1)
    assert (decision.kind, decision.reason, decision.amount) == (
        DecisionKind.RETURN_MONEY,
        "mismatch",
        TOTAL - 1,
    )
    partly_back = _decide(PaymentState.PARTIALLY_REFUNDED, refunded=1)
    assert (partly_back.reason, partly_back.amount) == ("mismatch", TOTAL - 1)


def test_a_session_of_the_price_before_a_change_is_voided() -> None:
    changed = replace(HELD, price=replace(HELD.price, items=HELD.price.items + 1))
    observed = observation(HELD, PaymentState.PENDING)
    decision = decide(changed, payment(HELD, PaymentState.OPENING), observed, None, NOW)
    assert (decision.kind, decision.reason) == (DecisionKind.RETURN_MONEY, "mismatch")


@pytest.mark.parametrize("state", [PaymentState.PENDING, *PAID])
def test_money_for_a_cancelled_booking_or_a_second_time_goes_back(state: PaymentState) -> None:
    opening: dict[str, Any] = {"stored": PaymentState.OPENING}
    cancelled = _decide(state, of=booking(BookingStatus.CANCELLED), **opening)
    assert (cancelled.kind, cancelled.reason) == (DecisionKind.RETURN_MONEY, "cancelled")
    first = payment(SOLD, PaymentState.CAPTURED, id=uid("first"), accepted=True)
    assert _decide(state, accepted=first, **opening).reason == "second"
    for stands_on in (first, None):
        second = _decide(state, of=SOLD, accepted=stands_on, **opening)
        assert (second.kind, second.reason, second.amount) == (DecisionKind.RETURN_MONEY, "second", TOTAL)


def test_a_session_that_is_open_is_kept_while_the_hold_stands_and_voided_after() -> None:
    opened = _decide(PaymentState.PENDING, stored=PaymentState.OPENING)
    assert opened == Decision(kind=DecisionKind.RECORD, state=PaymentState.PENDING)
    of = booking(BookingStatus.EXPIRED)
    late = _decide(PaymentState.PENDING, of=of, stored=PaymentState.OPENING)
    assert (late.kind, late.reason) == (DecisionKind.RETURN_MONEY, "expired")


@pytest.mark.parametrize("state", [PaymentState.FAILED, PaymentState.VOIDED])
def test_a_failed_attempt_leaves_the_hold_and_touches_nothing_else(state: PaymentState) -> None:
    for stored in (*UNFINISHED, PaymentState.AUTHORIZED):
        assert _decide(state, stored=stored) == Decision(kind=DecisionKind.FAIL, state=state)
    first = payment(SOLD, PaymentState.CAPTURED, id=uid("first"), accepted=True)
    assert _decide(state, of=SOLD, accepted=first).kind is DecisionKind.RECORD
    assert _decide(state, of=booking(BookingStatus.EXPIRED)).kind is DecisionKind.RECORD


ORDER = [
    {PaymentState.OPENING},
    {PaymentState.PENDING},
    {PaymentState.AUTHORIZED},
    {PaymentState.FAILED, PaymentState.VOIDED},
    {PaymentState.CAPTURED},
    {PaymentState.PARTIALLY_REFUNDED},
    {PaymentState.REFUNDED},
]
STALE = [
    (stored, seen)
    for (known, earlier) in product(range(len(ORDER)), repeat=2)
    if earlier <= known and ORDER[earlier] != {PaymentState.PARTIALLY_REFUNDED}
    for stored in sorted(ORDER[known])
    for seen in sorted(ORDER[earlier])
]


@pytest.mark.parametrize("stored, seen", STALE)
@pytest.mark.parametrize("status", list(BookingStatus))
def test_a_repeat_or_an_older_answer_has_no_effect(
    status: BookingStatus, stored: PaymentState, seen: PaymentState
) -> None:
    of = booking(status)
    for stands_on in (None, payment(of, stored, accepted=True)):
        decision = _decide(seen, of=of, stored=stored, accepted=stands_on)
        assert decision == Decision(kind=DecisionKind.NOTHING, state=stored)


@pytest.mark.parametrize("stored", [PaymentState.FAILED, PaymentState.VOIDED])
def test_money_that_came_after_a_failure_is_not_overlooked(stored: PaymentState) -> None:
    assert _decide(PaymentState.CAPTURED, stored=stored).kind is DecisionKind.CONFIRM
    after_refusal = _accepted(PaymentState.CAPTURED, stored, booking(BookingStatus.CANCELLED))
    assert (after_refusal.kind, after_refusal.amount) == (DecisionKind.RETURN_MONEY, TOTAL)


def test_the_capture_of_what_was_accepted_brings_the_admissions() -> None:
    captured = Decision(kind=DecisionKind.CAPTURED, state=PaymentState.CAPTURED)
    assert _accepted(PaymentState.CAPTURED, PaymentState.AUTHORIZED) == captured
    # A refund that is seen at the same time comes after it.
    part = _accepted(PaymentState.PARTIALLY_REFUNDED, PaymentState.AUTHORIZED, refunded=1)
    assert part == captured


@pytest.mark.parametrize("state", [PaymentState.FAILED, PaymentState.VOIDED])
def test_a_capture_refused_for_good_ends_a_booking_that_stands(state: PaymentState) -> None:
    refused = _accepted(state, PaymentState.AUTHORIZED)
    assert (refused.kind, refused.amount) == (DecisionKind.CAPTURE_REFUSED, 0)
    cancelled = _accepted(state, PaymentState.AUTHORIZED, booking(BookingStatus.CANCELLED))
    assert cancelled.kind is DecisionKind.RECORD


def test_a_capture_of_another_amount_ends_the_booking_and_goes_back() -> None:
    wrong = _accepted(PaymentState.CAPTURED, PaymentState.AUTHORIZED, captured=TOTAL - 5)
    assert (wrong.kind, wrong.reason, wrong.amount) == (DecisionKind.CAPTURE_REFUSED, "mismatch", TOTAL - 5)


def _refund(amount: int, status: str = "refunded", of: str = "payment") -> Refund:
    return Refund(
        id=uid("refund"), payment_id=uid(of), amount=amount, reason="", status=status, created_at=NOW
    )


def test_our_own_refunds_are_recorded_and_others_are_noticed_once() -> None:
    ours = replace(SOLD, refunds=(_refund(500),))
    seen = {"state": PaymentState.PARTIALLY_REFUNDED, "stored": PaymentState.CAPTURED}
    assert _accepted(of=ours, refunded=500, **seen).kind is DecisionKind.RECORD
    beyond = _accepted(of=ours, refunded=800, **seen)
    assert (beyond.kind, beyond.amount) == (DecisionKind.REFUNDED_OUTSIDE, 300)
    again = {**seen, "stored": PaymentState.PARTIALLY_REFUNDED}
    assert _accepted(of=ours, refunded=800, **again).kind is DecisionKind.REFUNDED_OUTSIDE
    noted = replace(ours, refunds=(_refund(500), _refund(300)))
    assert _accepted(of=noted, refunded=800, **again).kind is DecisionKind.NOTHING
    elsewhere = replace(ours, refunds=(_refund(500, of="second payment"),))
    assert _accepted(of=elsewhere, refunded=500, **seen).kind is DecisionKind.REFUNDED_OUTSIDE
    failed = replace(SOLD, refunds=(_refund(500, "failed"),))
    assert _accepted(of=failed, refunded=500, **seen).kind is DecisionKind.REFUNDED_OUTSIDE
    whole = _accepted(PaymentState.REFUNDED, PaymentState.AUTHORIZED)
    assert (whole.kind, whole.amount) == (DecisionKind.REFUNDED_OUTSIDE, TOTAL)


def test_what_was_paid_and_refunded_before_we_saw_it_is_recorded() -> None:
    assert _decide(PaymentState.REFUNDED) == Decision(kind=DecisionKind.RECORD, state=PaymentState.REFUNDED)


@pytest.mark.parametrize(
    "state, refunded, way, left",
    [
        (PaymentState.OPENING, 0, None, 0),
        (PaymentState.PENDING, 0, "void", 0),
        (PaymentState.AUTHORIZED, 0, "void", 0),
        (PaymentState.CAPTURED, 0, "refund", TOTAL),
        (PaymentState.PARTIALLY_REFUNDED, 100, "refund", TOTAL - 100),
        (PaymentState.REFUNDED, TOTAL, None, 0),
        (PaymentState.FAILED, 0, None, 0),
        (PaymentState.VOIDED, 0, None, 0),
    ],
)
def test_money_goes_back_by_void_before_capture_and_by_refund_after(
    state: PaymentState, refunded: int, way: str | None, left: int
) -> None:
    observed = observation(HELD, state, refunded=refunded)
    assert (money_back(observed), money_left(observed)) == (way, left)
