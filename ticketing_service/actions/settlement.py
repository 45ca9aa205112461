"""Settling with the payment module: capture, void, refund and reconciliation. Only the worker runs these.

Each may be repeated at any moment: it asks the module under the same key, and then applies what the module says of
the payment. So a process that dies between the module's answer and our commit costs a repetition, no money.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from ticketing_service.actions.ports import Ports
from ticketing_service.clients.port import PaymentRefused, PaymentUnavailable
from ticketing_service.domain.bookings import Booking, Observation, Payment, PaymentState
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.payments import money_left

ACTOR = "worker"
SETTLED_AT_MOST = 50
"""Payments that one round of reconciliation looks at."""

_UNCAPTURED = (PaymentState.PENDING, PaymentState.AUTHORIZED)


class NotYet(Exception):
    """The module is not as far as the task needs it: to be tried again."""


def capture(payment_id: UUID, ports: Ports) -> None:
    """Take the authorised money of a sale, and apply what became of it.

    A refusal for good cancels the booking. Raises NotYet, PaymentUnavailable, StoreUnavailable.
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
    seen = _look(payment, ports)
    if seen.state is not PaymentState.AUTHORIZED:
        return
    if refusal is None or not refusal.permanent:
        raise NotYet(f"still authorised: {refusal or 'the capture is under way'}")
    ports.store.payments.capture_refused(payment.id, refusal.code, ports.clock())


def void(payment_id: UUID, ports: Ports) -> None:
    """Give up a payment that no booking stands on; one that was paid meanwhile is applied instead.

    Raises NotYet, PaymentUnavailable, StoreUnavailable.
    """
    payment = ports.store.payments.get(payment_id)
    if payment is None or payment.accepted or payment.state in (PaymentState.FAILED, PaymentState.VOIDED):
        return
    payment = _opened(payment, ports)
    seen = _look(payment, ports)
    current = ports.store.payments.get(payment_id)
    if seen.state not in _UNCAPTURED or current is None or current.accepted:
        return
    try:
        ports.payment_module.void(_provider_id(payment), f"{payment.id.hex}-void")
    except PaymentRefused as error:
        # It moved on since we looked: what it is now decides.
        if _look(payment, ports).state in _UNCAPTURED:
            raise NotYet(f"cannot be voided now: {error}") from error
        return
    _look(payment, ports)


def refund(refund_id: UUID, ports: Ports) -> None:
    """Ask the module for a refund, once its payment is captured. A refusal for good is kept for the staff.

    Raises NotYet, PaymentUnavailable, StoreUnavailable.
    """
    order = ports.store.payments.refund(refund_id)
    if order is None or order.status != "pending":
        return
    seen, _ = ports.payment_module.state(order.provider_id)
    if seen.state in _UNCAPTURED:
        raise NotYet("the payment is not captured")
    try:
        key = order.id.hex
        sent = ports.payment_module.refund(order.provider_id, order.amount, order.reason, key)
    except PaymentRefused as error:
        after, refunds = ports.payment_module.state(order.provider_id)
        # Refunds under way may fail and leave enough; with none of them the answer stays no.
        settled = "processing" not in refunds.values()
        if error.permanent or (settled and money_left(after) < order.amount):
            ports.store.payments.refund_failed(order.id, error.code, ports.clock())
            return
        raise NotYet(f"cannot be refunded now: {error}") from error
    ports.store.payments.refund_sent(order.id, sent, ports.clock())


def reconcile(ports: Ports) -> int:
    """Ask the module about the payments that wait for it and are due for a look; says how many were looked at.

    Raises PaymentUnavailable at the first that gets no answer: the others come up again later.
    """
    payments = ports.store.payments.unsettled(ports.clock(), SETTLED_AT_MOST)
    for payment in payments:
        _reconcile_one(payment, ports)
    return len(payments)


def _reconcile_one(payment: Payment, ports: Ports) -> None:
    try:
        _look(_opened(payment, ports), ports)
    except PaymentRefused as error:
        # One payment that the module does not know must not stand before all the others.
        raise_if_widespread(error)
    except Refused as refused:
        if refused.code is not Code.BOOKING_NOT_FOUND:
            raise


def _opened(payment: Payment, ports: Ports) -> Payment:
    """The payment with the module's id: where our creation got no answer it is repeated under the same key."""
    if payment.provider_id is not None:
        return payment
    session = ports.payment_module.create(payment, _booking_of(payment, ports))
    return ports.store.payments.opened(payment.id, session, ports.clock())
