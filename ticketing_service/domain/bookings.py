"""A purchase: the booking, its items and unit items, its payments and refunds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from common.texts import Texts
from ticketing_service.domain.catalogue import RefundStep, Tax, TicketType, UnitType
from ticketing_service.domain.resale import Resale


class BookingStatus(StrEnum):
    """The state of a booking, an item or a unit item (DESIGN section 3)."""

    ON_HOLD = "on_hold"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REDEEMED = "redeemed"
    NO_SHOW = "no_show"


class PaymentStatus(StrEnum):
    NONE = "none"
    PENDING = "pending"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    FAILED = "failed"
    VOIDED = "voided"
    REFUND_PENDING = "refund_pending"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    ON_ACCOUNT = "on_account"
    """A reseller owes it; no payment is made for the booking."""


class Channel(StrEnum):
    """Through whom a sale came."""

    WEB = "web"
    STAFF = "staff"
    RESELLER = "reseller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    name: str
    email: str
    phone: str | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleTerms:
    """What was agreed for one item when it was sold; later changes of the ticket do not touch it."""

    ticket_type: TicketType
    ticket_title: Texts
    option_title: Texts
    poi_ids: tuple[UUID, ...]
    refund_policy: tuple[RefundStep, ...]
    taxes: tuple[Tax, ...]
    valid_days: int
    all_day: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitItem:
    """One unit sold. `price` (after the multiplier), `discount` and `commission` are minor units; what was
    paid for it is `price - discount`. `net` is what the reseller owes for it, None where nobody resold it.
    `pax_count` people come in with it.
    """

    id: UUID
    unit_id: UUID
    unit_type: UnitType
    title: Texts
    pax_count: int
    price: int
    discount: int
    commission: int
    net: int | None = None
    status: BookingStatus
    admission_id: UUID | None = None

    @property
    def paid(self) -> int:
        return self.price - self.discount

    @property
    def due(self) -> int:
        """What we get for it."""
        return self.paid if self.net is None else self.net


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingItem:
    """One slot with its unit items."""

    id: UUID
    ticket_id: UUID
    option_id: UUID
    slot_id: UUID
    local_start: datetime
    local_end: datetime
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    sales_end_at: datetime
    terms: SaleTerms
    units: tuple[UnitItem, ...]

    @property
    def status(self) -> BookingStatus:
        return derived_status(unit.status for unit in self.units)

    @property
    def notice_counts_to(self) -> datetime:
        """The instant to which a cancellation's notice counts: the start, or a day ticket's last closing."""
        return self.ends_at if self.terms.all_day else self.starts_at


@dataclass(frozen=True, slots=True)
class IncludedTax:
    name: str
    rate_basis_points: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Minor units of `currency`: `total = items - discount + fee`; the taxes are contained in it."""

    currency: str
    items: int
    discount: int
    fee: int
    included_taxes: tuple[IncludedTax, ...] = ()

    @property
    def total(self) -> int:
        return self.items - self.discount + self.fee


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money of one payment on its way back, or back.

    `status`: pending, processing, refunded, failed; void when the money that it was promised of never came.
    """

    id: UUID
    payment_id: UUID
    amount: int
    reason: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A purchase of one or more items.

    `principal` is who made it (a token's subject) or None for a guest; `reseller_id` is whose it is when a
    reseller made it, and `resale` what that one has written down. A test takes nothing and lets nobody in.
    `extensions` counts how often the hold was extended. `payment_status` sums up its payments.
    """

    id: UUID
    reference: str
    status: BookingStatus
    channel: Channel
    principal: str | None
    reseller_id: UUID | None = None
    is_test: bool = False
    resale: Resale | None = None
    customer: Customer
    items: tuple[BookingItem, ...]
    price: Price
    voucher_id: UUID | None
    voucher_code: str | None
    payment_status: PaymentStatus
    refunds: tuple[Refund, ...]
    return_url: str | None
    extensions: int
    version: int
    created_at: datetime
    expires_at: datetime
    updated_at: datetime

    @property
    def unit_items(self) -> tuple[UnitItem, ...]:
        return tuple(unit for item in self.items for unit in item.units)

    @property
    def on_account(self) -> bool:
        """Whether a reseller owes it, so that nobody pays for the booking."""
        return self.reseller_id is not None

    @property
    def to_pay(self) -> int:
        """What is to be paid before it is confirmed."""
        return 0 if self.on_account else self.price.total

    @property
    def net(self) -> int:
        """What the reseller owed for it when it was sold."""
        return sum(unit.net or 0 for unit in self.unit_items)

    @property
    def cancellable_until(self) -> datetime | None:
        """The last instant at which the customer can cancel all of what is left; None when nothing is.

        The shortest notice of each item's policy counts; of several items the earliest such instant decides.
        """
        if self.status is not BookingStatus.CONFIRMED:
            return None
        ends = [
            item.notice_counts_to
            - timedelta(hours=min(step.hours_before for step in item.terms.refund_policy))
            for item in self.items
            if item.status is BookingStatus.CONFIRMED and item.terms.refund_policy
        ]
        return min(ends, default=None)


class PaymentState(StrEnum):
    """The life of one payment attempt; the module's own words, but `opening` (the answer to our create is not
    known yet) and `voided` (its `cancelled`).
    """

    OPENING = "opening"
    PENDING = "pending"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    FAILED = "failed"
    VOIDED = "voided"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One session at the payment module for one booking. Its `id` is also the idempotency key of its
    creation.

    `provider_id` is the module's `paymentId`. `accepted` is true for the one payment that the booking stands
    on.
    """

    id: UUID
    booking_id: UUID
    provider_id: str | None
    amount: int
    currency: str
    state: PaymentState
    captured: int
    accepted: bool
    redirect_url: str | None
    return_url: str
    session_ends_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What the payment module says of a payment at this moment."""

    provider_id: str
    resource_id: str
    state: PaymentState
    amount: int
    currency: str
    captured: int
    refunded: int


def derived_status(statuses: Iterable[BookingStatus]) -> BookingStatus:
    """The status of an item or a booking, from those of its unit items.

    Cancelled ones do not count while others live. Anything still to be used makes it confirmed, else anything
    used makes it redeemed.
    """
    seen = set(statuses)
    for status in (
        BookingStatus.ON_HOLD,
        BookingStatus.CONFIRMED,
        BookingStatus.REDEEMED,
        BookingStatus.NO_SHOW,
        BookingStatus.EXPIRED,
    ):
        if status in seen:
            return status
    return BookingStatus.CANCELLED
