"""What to do about what the payment module says of a payment: one pure decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from ticketing_service.domain.bookings import Booking, BookingStatus, Observation, Payment, PaymentState


class DecisionKind(StrEnum):
    """What the store does with an observation. All but NOTHING also keep `Decision.state` on the payment."""

    NOTHING = "nothing"
    """A repeat, or older than what is known."""
    RECORD = "record"
    """Newer, without effect on the booking."""
    CONFIRM = "confirm"
    """The hold stands and is paid: held becomes sold."""
    RETAKE = "retake"
    """Paid after the hold ended: take the seats again if slots are open and places free, else return it."""
    RETURN_MONEY = "return_money"
    """Void or refund `amount`; the booking stays as it is."""
    FAIL = "fail"
    """This attempt failed; the hold stands and may be paid by another."""
    CAPTURED = "captured"
    """The authorisation that the booking stands on became money: admissions and mail follow."""
    CAPTURE_REFUSED = "capture_refused"
    """It never will: cancel the booking, return the seats, and return `amount` if there is any."""
    REFUNDED_OUTSIDE = "refunded_outside"
    """`amount` was refunded at the module beyond our refunds: keep it as a refund row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`state` is what to keep on the payment; a RETURN_MONEY has a `reason`: mismatch, cancelled, expired,
    second or past.

    `amount` is minor units; of an authorisation that is voided, what it was for.
    """

    kind: DecisionKind
    state: PaymentState
    reason: str | None = None
    amount: int = 0


MoneyBack = Literal["void", "refund"]

_ENDED = (PaymentState.FAILED, PaymentState.VOIDED)
_REFUNDED = (PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED)
_UNCAPTURED = (PaymentState.PENDING, PaymentState.AUTHORIZED)
_RANK = {
    PaymentState.OPENING: 0,
    PaymentState.PENDING: 1,
    PaymentState.AUTHORIZED: 2,
    # Final for what was not captured; should money come all the same it must not be overlooked.
    PaymentState.FAILED: 3,
    PaymentState.VOIDED: 3,
    PaymentState.CAPTURED: 4,
    PaymentState.PARTIALLY_REFUNDED: 5,
    PaymentState.REFUNDED: 6,
}


def money_back(observed: Observation) -> MoneyBack | None:
    """How the money of a payment goes back: `void` before capture, `refund` after, None without any."""
    if observed.state in _UNCAPTURED:
        return "void"
    return "refund" if money_left(observed) > 0 else None


def money_left(observed: Observation) -> int:
    """What was captured and not yet refunded (minor units)."""
    return max(0, observed.captured - observed.refunded)


def decide(
    booking: Booking, payment: Payment, observed: Observation, accepted: Payment | None, now: datetime
) -> Decision:
    """Decide what `observed` (the module's present answer about `payment`) means for `booking` at `now`.

    `accepted` is the payment on which the booking stands, if any. Whether a slot is closed, and whether its
    places are still free, only the store can see: on a RETAKE it decides that in the same commit.
    """
    if _is_stale(payment, observed):
        return Decision(kind=DecisionKind.NOTHING, state=payment.state)
    if accepted is not None and accepted.id == payment.id:
        return _decide_accepted(booking, payment, observed)
    if observed.state in _ENDED:
        on_hold = booking.status is BookingStatus.ON_HOLD and accepted is None
        return Decision(kind=DecisionKind.FAIL if on_hold else DecisionKind.RECORD, state=observed.state)
    if money_back(observed) is None:
        return Decision(kind=DecisionKind.RECORD, state=observed.state)
    reason = _reason_to_return(booking, payment, observed, accepted, now)
    if reason is not None:
        return _return_money(observed, reason)
    if observed.state is PaymentState.PENDING:
        return Decision(kind=DecisionKind.RECORD, state=observed.state)
    alive = booking.status is BookingStatus.ON_HOLD and now < booking.expires_at
    return Decision(kind=DecisionKind.CONFIRM if alive else DecisionKind.RETAKE, state=observed.state)


def _is_stale(payment: Payment, observed: Observation) -> bool:
    known, seen = _RANK[payment.state], _RANK[observed.state]
    # A second refund leaves the state as it is.
    return seen < known or (seen == known and observed.state is not PaymentState.PARTIALLY_REFUNDED)


def _decide_accepted(booking: Booking, payment: Payment, observed: Observation) -> Decision:
    known = payment.state
    if observed.state in _REFUNDED and (known is not PaymentState.AUTHORIZED or not money_left(observed)):
        return _decide_refunded(booking, payment, observed)
    if observed.state in (PaymentState.CAPTURED, *_REFUNDED):
        if known in _ENDED:
            # We gave the seats back when the capture was refused.
            return _return_money(observed, "cancelled")
        if observed.captured != payment.amount or _is_foreign(booking, payment, observed):
            return Decision(
                kind=DecisionKind.CAPTURE_REFUSED,
                state=observed.state,
                reason="mismatch",
                amount=money_left(observed),
            )
        # A refund that came with it is looked at when the module is asked the next time.
        return Decision(kind=DecisionKind.CAPTURED, state=PaymentState.CAPTURED)
    stands = booking.status in (BookingStatus.CONFIRMED, BookingStatus.NO_SHOW, BookingStatus.REDEEMED)
    if observed.state in _ENDED and stands:
        return Decision(kind=DecisionKind.CAPTURE_REFUSED, state=observed.state, reason=observed.state.value)
    return Decision(kind=DecisionKind.RECORD, state=observed.state)


def _decide_refunded(booking: Booking, payment: Payment, observed: Observation) -> Decision:
    known = payment.state
    ours = sum(
        refund.amount
        for refund in booking.refunds
        if refund.payment_id == payment.id and refund.status != "failed"
    )
    beyond = observed.refunded - ours
    if beyond > 0:
        return Decision(kind=DecisionKind.REFUNDED_OUTSIDE, state=observed.state, amount=beyond)
    if known is observed.state:
        return Decision(kind=DecisionKind.NOTHING, state=known)
    return Decision(kind=DecisionKind.RECORD, state=observed.state)


def _reason_to_return(
    booking: Booking, payment: Payment, observed: Observation, accepted: Payment | None, now: datetime
) -> str | None:
    """Why the booking has no use for this money, or None."""
    if _is_foreign(booking, payment, observed) or not _is_exact(booking, payment, observed):
        return "mismatch"
    if booking.on_account:
        return "mismatch"
    if booking.status is BookingStatus.CANCELLED:
        return "cancelled"
    if accepted is not None or booking.status not in (BookingStatus.ON_HOLD, BookingStatus.EXPIRED):
        return "second"
    if observed.state is PaymentState.PENDING:
        return "expired" if booking.status is BookingStatus.EXPIRED else None
    late = booking.status is BookingStatus.EXPIRED or now >= booking.expires_at
    if late and any(now >= item.sales_end_at for item in booking.items):
        return "past"
    return None


def _is_foreign(booking: Booking, payment: Payment, observed: Observation) -> bool:
    known_id = payment.provider_id in (None, observed.provider_id)
    return (
        not known_id
        or payment.booking_id != booking.id
        or observed.resource_id != str(booking.id)
        or observed.currency != booking.price.currency
    )


def _is_exact(booking: Booking, payment: Payment, observed: Observation) -> bool:
    """Whether it is for the whole price, and all of it stays here."""
    if not observed.amount == payment.amount == booking.price.total:
        return False
    return observed.state in _UNCAPTURED or money_left(observed) == booking.price.total


def _return_money(observed: Observation, reason: str) -> Decision:
    amount = observed.amount if money_back(observed) == "void" else money_left(observed)
    return Decision(kind=DecisionKind.RETURN_MONEY, state=observed.state, reason=reason, amount=amount)
