"""Settling with the payment module: capture, void, refund and reconciliation. Only the worker runs these.

Each may be repeated at any moment: it asks the module under the same key, and then applies what the module
says of the payment. So a process that dies between the module's answer and our commit costs a repetition, no
money.
"""

from __future__ import annotations

import logging
from uuid import UUID

from common.outbox.port import Later
from ticketing_service.actions.ports import Ports
from ticketing_service.clients.port import PaymentRefused
from ticketing_service.domain.bookings import Observation, Payment, PaymentState
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.payments import money_left
from ticketing_service.storage.ports.payments import RefundOrder

log = logging.getLogger(__name__)

ACTOR = "worker"
LOOKS_A_ROUND = 50
"""Payments that one round of reconciliation looks at."""

_UNCAPTURED = (PaymentState.PENDING, PaymentState.AUTHORIZED)


def capture(payment_id: UUID, ports: Ports) -> None:
    """Take the authorised money of a sale, and apply what became of it.

    A refusal for good cancels the booking. Raises Later, PaymentUnavailable, StoreUnavailable.
    """
    payment = ports.store.payments.get(payment_id)
    if payment is None or payment.state is not PaymentState.AUTHORIZED or not payment.accepted:
        return
    payment = _opened(payment, ports)
    refusal = None
    try:
        ports.payment_module.capture(_provider_id(payment), f"{payment.id.hex}-capture")
    except PaymentRefused as error:
        refusal = error
    seen = _look(payment.booking_id, _provider_id(payment), ports)
    if seen.state is not PaymentState.AUTHORIZED:
        return
    if refusal is None or not refusal.permanent:
        raise Later(f"still authorised: {refusal or 'the capture is under way'}")
    ports.store.payments.capture_refused(payment.id, refusal.code, ports.clock())


def void(payment_id: UUID, ports: Ports) -> None:
    """Give up a payment that no booking stands on; one that was paid meanwhile is applied instead.

    Raises Later, PaymentUnavailable, StoreUnavailable.
    """
    payment = ports.store.payments.get(payment_id)
    if payment is None or payment.accepted or payment.state in (PaymentState.FAILED, PaymentState.VOIDED):
        return
    payment = _opened(payment, ports)
    seen = _look(payment.booking_id, _provider_id(payment), ports)
    current = ports.store.payments.get(payment_id)
    if seen.state not in _UNCAPTURED or current is None or current.accepted:
        return
    try:
        ports.payment_module.void(_provider_id(payment), f"{payment.id.hex}-void")
    except PaymentRefused as error:
        # It moved on since we looked: what it is now decides.
        if _look(payment.booking_id, _provider_id(payment), ports).state in _UNCAPTURED:
            raise Later(f"cannot be voided now: {error}") from error
        return
    _look(payment.booking_id, _provider_id(payment), ports)


def refund(refund_id: UUID, ports: Ports) -> None:
    """Ask the module for a refund, once its payment is captured. A refusal for good is kept for the staff.

    Raises Later, PaymentUnavailable, StoreUnavailable.
    """
    order = _pending_refund(refund_id, ports)
    if order is None:
        return
    seen = _look(order.booking_id, order.provider_id, ports)
    # A payment that ended without money took its refunds with it.
    order = _pending_refund(refund_id, ports)
    if order is None:
        return
    if seen.state in _UNCAPTURED:
        raise Later("the payment is not captured")
    try:
        sent = ports.payment_module.refund(order.provider_id, order.amount, order.reason, order.id.hex)
    except PaymentRefused as error:
        after, refunds = ports.payment_module.state(order.provider_id)
        # Refunds under way may fail and leave enough; without any the answer stays no.
        settled = "processing" not in refunds.values()
        if not error.permanent and not (settled and money_left(after) < order.amount):
            raise Later(f"cannot be refunded now: {error}") from error
        log.error("refund %s of booking %s is refused: %s", order.id, order.booking_id, error.code)
        ports.store.payments.refund_failed(order.id, error.code, ports.clock())
        return
    ports.store.payments.refund_sent(order.id, sent, ports.clock())


def reconcile(ports: Ports) -> int:
    """Ask the module about the payments that wait for it and are due for a look; says how many there were.

    Raises PaymentUnavailable at the first that gets no answer: the others come up again later.
    """
    payments = ports.store.payments.unsettled(ports.clock(), LOOKS_A_ROUND)
    for payment in payments:
        try:
            payment = _opened(payment, ports)
            _look(payment.booking_id, _provider_id(payment), ports)
        except (PaymentRefused, Refused) as error:
            # One payment that the module does not know must not stand before all the others.
            log.warning("payment %s of booking %s: %s", payment.id, payment.booking_id, error)
    return len(payments)


def _pending_refund(refund_id: UUID, ports: Ports) -> RefundOrder | None:
    order = ports.store.payments.refund(refund_id)
    return order if order is not None and order.status == "pending" else None


def _opened(payment: Payment, ports: Ports) -> Payment:
    """The payment with the module's id: a creation without an answer is repeated under the same key."""
    if payment.provider_id is not None:
        return payment
    booking = ports.store.bookings.get(payment.booking_id)
    if booking is None:
        raise Refused(Code.BOOKING_NOT_FOUND)
    session = ports.payment_module.create(payment, booking)
    return ports.store.payments.opened(payment.id, session, ports.clock())


def _provider_id(payment: Payment) -> str:
    if payment.provider_id is None:
        raise ValueError("the payment was never opened")
    return payment.provider_id


def _look(booking_id: UUID, provider_id: str, ports: Ports) -> Observation:
    """Ask how the payment is now and apply that."""
    seen, refunds = ports.payment_module.state(provider_id)
    ports.store.payments.observe(booking_id, seen, refunds, ports.issue, ACTOR, ports.clock())
    return seen
