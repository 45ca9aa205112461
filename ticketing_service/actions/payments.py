"""Paying: opening a session at the payment module, and taking notice of what became of it."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from ticketing_service.actions.bookings import Access, find_booking, require_access, shown_status
from ticketing_service.actions.ports import Ports
from ticketing_service.clients.port import PaymentRefused, PaymentUnavailable
from ticketing_service.domain.bookings import Booking, BookingStatus, Payment, PaymentState
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.states import SOLD
from ticketing_service.storage.ports.bookings import Amendment

log = logging.getLogger(__name__)

SIGNATURE_TOLERANCE_SECONDS = 300
_OPEN = (PaymentState.OPENING, PaymentState.PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayByLink:
    """`token` is for paying this booking only, and ends with its hold."""

    booking_id: UUID
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPayment:
    booking_id: UUID
    access: Access


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmBooking:
    """`amendment`: what else is changed of a booking that nobody pays for, but for its items."""

    booking_id: UUID
    access: Access
    amendment: Amendment | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What a webhook is about. What else it says is a hint that nobody relies on."""

    provider_id: str
    resource_id: str


def pay_by_link(command: PayByLink, ports: Ports) -> Payment:
    """The session to send the payer to. Raises BOOKING_NOT_FOUND for a bad token, and as `open_payment`."""
    if not ports.booking_tokens.may_pay(command.token, command.booking_id):
        raise Refused(Code.BOOKING_NOT_FOUND)
    booking = find_booking(command.booking_id, Access(actor="payer", booking_id=command.booking_id), ports)
    return _session(booking, ports)


def open_payment(command: OpenPayment, ports: Ports) -> Payment:
    """The session that stands open, or a new one: after a decline, too.

    Raises BOOKING_NOT_FOUND, BOOKING_EXPIRED, BOOKING_CANCELLED, BOOKING_NOT_ON_HOLD, PAYMENT_NOT_NEEDED,
    PAYMENT_UNAVAILABLE (the hold stands).
    """
    return _session(find_booking(command.booking_id, command.access, ports), ports)


def confirm_booking(command: ConfirmBooking, ports: Ports) -> Booking:
    """The booking, once it is paid or costs nothing. Repeatable.

    Raises PAYMENT_PENDING, PAYMENT_REQUIRED, BOOKING_EXPIRED, BOOKING_CANCELLED, BOOKING_NOT_FOUND,
    PAYMENT_UNAVAILABLE.
    """
    require_access(command.booking_id, command.access, ports)
    try:
        return ports.store.bookings.confirm_free(
            command.booking_id,
            ports.issue,
            command.access.actor,
            ports.clock(),
            amendment=command.amendment,
        )
    except Refused as refused:
        # a hold that has ended may have been paid in time all the same
        if refused.code not in (Code.PAYMENT_REQUIRED, Code.BOOKING_EXPIRED):
            raise
    return _confirm_paid(find_booking(command.booking_id, command.access, ports), command.access, ports)


def _confirm_paid(booking: Booking, access: Access, ports: Ports) -> Booking:
    look_at(booking, ports.store.payments.of_booking(booking.id), access.actor, ports)
    # read again: a webhook may have confirmed it meanwhile, so that no payment was left to look at
    booking = find_booking(booking.id, access, ports)
    if booking.status in SOLD:
        return booking
    if booking.status is BookingStatus.CANCELLED:
        raise Refused(Code.BOOKING_CANCELLED)
    if shown_status(booking, ports.clock()) is BookingStatus.EXPIRED:
        raise Refused(Code.BOOKING_EXPIRED)
    pending = any(each.state in _OPEN for each in ports.store.payments.of_booking(booking.id))
    raise Refused(Code.PAYMENT_PENDING if pending else Code.PAYMENT_REQUIRED)


def look_at(booking: Booking, payments: tuple[Payment, ...], actor: str, ports: Ports) -> Booking:
    """Ask the module for the payments that stand open, and apply what it says. Raises PAYMENT_UNAVAILABLE."""
    for payment in payments:
        if payment.provider_id is not None and payment.state in _OPEN:
            booking = observe(booking.id, payment.provider_id, actor, ports)
    return booking


def observe(booking_id: UUID, provider_id: str, actor: str, ports: Ports) -> Booking:
    """Ask the module how a payment is now, and apply that to the booking that it is said to be for.

    Raises PAYMENT_UNAVAILABLE, BOOKING_NOT_FOUND.
    """
    try:
        observation, refunds = ports.payment_module.state(provider_id)
    except (PaymentUnavailable, PaymentRefused) as error:
        raise _unavailable(error) from error
    return ports.store.payments.observe(booking_id, observation, refunds, ports.issue, actor, ports.clock())


def check_signature(body: bytes, signature: str | None, ports: Ports) -> None:
    """Raises SIGNATURE_INVALID unless one of our secrets signed this body within the last five minutes."""
    moment = ports.clock()
    if not is_signed(body, signature or "", ports.webhook_secrets, moment):
        raise Refused(Code.SIGNATURE_INVALID)


def heed(notice: Notice, ports: Ports) -> None:
    """Apply the present state of the payment. Raises PAYMENT_UNAVAILABLE.

    A webhook is a hint: repeats and older ones have no effect, and one about a booking that is not ours is
    none of our business.
    """
    try:
        booking_id = UUID(notice.resource_id)
        if ports.store.bookings.get(booking_id) is None:
            raise Refused(Code.BOOKING_NOT_FOUND)
        observe(booking_id, notice.provider_id, "payment-module", ports)
    except ValueError:
        log.info("a webhook names something that is no booking")
    except Refused as refused:
        if refused.code is not Code.BOOKING_NOT_FOUND:
            raise
        log.info("a webhook is about a booking that is not known")


def is_signed(body: bytes, signature: str, secrets: tuple[str, ...], now: datetime) -> bool:
    """Whether `signature` is `t=<unix>,v1=<hex HMAC-SHA256 of "t.body">` of one of `secrets`, and recent."""
    parts: Mapping[str, str] = dict(part.strip().partition("=")[::2] for part in signature[:300].split(","))
    stamp, given = parts.get("t", ""), parts.get("v1", "").encode()
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        return False
    signed = stamp.encode() + b"." + body
    good = [
        hmac.compare_digest(hmac.new(secret.encode(), signed, sha256).hexdigest().encode(), given)
        for secret in secrets
    ]
    return any(good) and abs(now.timestamp() - int(stamp)) <= SIGNATURE_TOLERANCE_SECONDS


def _session(booking: Booking, ports: Ports) -> Payment:
    """The session to pay the booking in. One that the payer has left or lost is looked at first."""
    store = ports.store.payments
    if booking.status is BookingStatus.ON_HOLD:
        look_at(booking, store.of_booking(booking.id), "payer", ports)
    return_url = booking.return_url or f"{ports.public_url}/"
    payment = store.open_attempt(booking.id, return_url, ports.clock())
    if payment.redirect_url is not None:
        return payment
    try:
        session = ports.payment_module.create(payment, booking)
    except (PaymentUnavailable, PaymentRefused) as error:
        raise _unavailable(error) from error
    return store.opened(payment.id, session, ports.clock())


def _unavailable(error: Exception) -> Refused:
    log.warning("the payment module cannot be asked: %s", error)
    return Refused(
        Code.PAYMENT_UNAVAILABLE,
        "The booking stands; try again in a moment.",
        retry_after_seconds=error.retry_after_seconds if isinstance(error, PaymentUnavailable) else None,
    )
