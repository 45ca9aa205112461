"""Payments and refunds, as the payment module tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from common.web.idempotency import Idempotency
from ticketing_service.domain.bookings import (
    Booking,
    Observation,
    Payment,
)
from ticketing_service.storage.ports.calls import Issue


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSession:
    """What the payment module answered to the creation of a payment."""

    provider_id: str
    redirect_url: str
    session_ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """A refund to be asked of the module; `id` is its idempotency key."""

    id: UUID
    booking_id: UUID
    provider_id: str
    amount: int
    reason: str
    status: str
    provider_refund_id: str | None


class PaymentStore(Protocol):
    def open_attempt(self, booking_id: UUID, return_url: str, now: datetime) -> Payment:
        """The payment to go on with: the one that stands open, else a new one in state `opening`. Refuses
        PAYMENT_NOT_NEEDED, BOOKING_EXPIRED, BOOKING_CANCELLED, BOOKING_NOT_ON_HOLD (paid already)."""
        ...

    def opened(self, payment_id: UUID, session: PaymentSession, now: datetime) -> Payment: ...

    def get(self, payment_id: UUID) -> Payment | None: ...

    def of_booking(self, booking_id: UUID) -> tuple[Payment, ...]: ...

    def observe(
        self,
        booking_id: UUID,
        observation: Observation,
        refunds: Mapping[str, str],
        issue: Issue,
        actor: str,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        """Apply what the module says of one of the booking's payments (`domain.payments.decide`), with all
        that follows: seats, admissions, ledger, refund rows, tasks. `refunds` are the module's refund ids and
        their states. Any number of times, in any order. Refuses BOOKING_NOT_FOUND.
        """
        ...

    def capture_refused(self, payment_id: UUID, reason: str, now: datetime) -> None:
        """The module refused the capture for good: the booking is cancelled, its places go back, the customer
        is told.
        """
        ...

    def unsettled(self, now: datetime, limit: int) -> tuple[Payment, ...]:
        """Payments that wait for the module and whose next look is due; each is put off a growing while in
        the same call.
        """
        ...

    def refund(self, refund_id: UUID) -> RefundOrder | None: ...

    def refund_sent(self, refund_id: UUID, provider_refund_id: str, now: datetime) -> None: ...

    def refund_failed(self, refund_id: UUID, reason: str, now: datetime) -> None: ...
