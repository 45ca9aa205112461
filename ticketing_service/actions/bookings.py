"""The life of a booking as its customer and our support steer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from common.identifiers import uuid7_at
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.actions.ports import Ports
from ticketing_service.actions.quotes import offers_in_order
from ticketing_service.domain.bookings import Booking, BookingStatus, Channel, Customer
from ticketing_service.domain.claims import GuestLimits
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.orders import HoldOrder, ItemOrder, Offer
from ticketing_service.domain.pricing import PricedBooking, SalePolicy, price_booking
from ticketing_service.domain.references import new_reference
from ticketing_service.domain.refunds import CancellationPlan, plan_cancellation
from ticketing_service.domain.resale import Resale, ResoldUnit
from ticketing_service.domain.resellers import Reseller
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.ports.bookings import Amendment, BookingQuery, Cancellation
from ticketing_service.storage.ports.calls import Pricing


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a caller has proved: the token of one booking, who they are, which reseller they are, or that they
    are of our staff. A reseller's key for tests opens tests alone, the others open none.
    """

    actor: str
    booking_id: UUID | None = None
    principal: str | None = None
    reseller_id: UUID | None = None
    is_test: bool = False
    staff: bool = False


@dataclass(frozen=True, slots=True)
class ExpectedTotal:
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBooking:
    """`guest_network` is set for guests alone. `minutes`: how long it is to be held, as far as that goes."""

    items: tuple[ItemOrder, ...]
    customer: Customer
    voucher_code: str | None = None
    return_url: str | None = None
    expected_total: ExpectedTotal | None = None
    channel: Channel = Channel.WEB
    principal: str | None = None
    guest_network: str | None = None
    reseller: Reseller | None = None
    is_test: bool = False
    resale: Resale | None = None
    minutes: int | None = None
    currency: str | None = None
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendBooking:
    """None stays as it is. Of the contact only what is named changes; `resale` makes of what the reseller has
    written down what it is to be, and `names` are what it calls the unit items that there are to be.
    """

    booking_id: UUID
    access: Access
    contact: Mapping[str, Any] | None = None
    items: tuple[ItemOrder, ...] | None = None
    expected_total: ExpectedTotal | None = None
    resale: Callable[[Resale], Resale] | None = None
    names: tuple[ResoldUnit, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendHold:
    """`minutes`: how long it is to be held from now, as far as that goes."""

    booking_id: UUID
    access: Access
    minutes: int | None = None
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBooking:
    """Without `unit_item_ids` all that can be. `refund_percent` is staff's decision against the policy."""

    booking_id: UUID
    access: Access
    reason: str
    unit_item_ids: tuple[UUID, ...] | None = None
    refund_percent: int | None = None
    idempotency: Idempotency | None = None


def hold_booking(command: HoldBooking, ports: Ports) -> Booking:
    """Take the places and price them, in one commit and without any call outside.

    Raises SOLD_OUT, SLOT_NOT_FOUND, RETURN_URL_NOT_ALLOWED, PRICE_CHANGED, TOO_MANY_HOLDS,
    VOUCHER_UNKNOWN, VOUCHER_EXHAUSTED, RESELLER_INACTIVE, RESALE_UUID_TAKEN and what `price_booking` raises.
    """
    check_return_url(command.return_url, ports)
    if command.reseller is not None and not command.reseller.active:
        raise Refused(Code.RESELLER_INACTIVE)
    policy, now = ports.policy, ports.clock()
    held_for = policy.hold_minutes
    if command.minutes is not None:
        held_for = min(command.minutes, policy.max_hold_minutes)
    order = HoldOrder(
        booking_id=uuid7_at(now),
        reference=new_reference(),
        items=command.items,
        customer=command.customer,
        voucher_code=command.voucher_code,
        return_url=command.return_url,
        channel=command.channel,
        principal=command.principal,
        guest_network=command.guest_network,
        reseller=command.reseller,
        is_test=command.is_test,
        resale=command.resale,
    )
    return ports.store.bookings.hold(
        order,
        _pricing(
            command.items, command.expected_total, command.reseller, policy, now, currency=command.currency
        ),
        GuestLimits(per_address=policy.guest_holds_per_address, per_email=policy.guest_holds_per_email),
        now + timedelta(minutes=held_for),
        now,
        idempotency=command.idempotency,
    )


def find_booking(booking_id: UUID, access: Access, ports: Ports) -> Booking:
    """Raises BOOKING_NOT_FOUND, also for one that is somebody else's, so that nothing is told about it."""
    if access.booking_id not in (None, booking_id):
        raise Refused(Code.BOOKING_NOT_FOUND)
    booking = ports.store.bookings.get(booking_id)
    if booking is None or not _may_see(booking, access):
        raise Refused(Code.BOOKING_NOT_FOUND)
    return booking


def require_access(booking_id: UUID, access: Access, ports: Ports) -> None:
    """Raises BOOKING_NOT_FOUND. A token or staff need no look at the booking."""
    if not access.staff and access.booking_id != booking_id:
        find_booking(booking_id, access, ports)


def search_bookings(query: BookingQuery, ports: Ports) -> Page[Booking]:
    return ports.store.bookings.search(query)


def amend_booking(command: AmendBooking, ports: Ports) -> Booking:
    """Its items change while it is on hold; what was sold on account changes where its total does not rise.

    Raises BOOKING_NOT_FOUND, BOOKING_EXPIRED, BOOKING_NOT_ON_HOLD, TOTAL_RISES, CANCELLATION_CLOSED,
    UNIT_ITEM_NOT_CANCELLABLE, and as `hold_booking`.
    """
    require_access(command.booking_id, command.access, ports)
    now = ports.clock()
    items = command.items or ()
    reseller = _reseller_of(command.booking_id, ports) if items else None
    return ports.store.bookings.amend(
        command.booking_id,
        Amendment(
            contact=command.contact or {},
            items=command.items,
            resale=command.resale,
            names=command.names,
            issue=ports.issue,
        ),
        _pricing(items, command.expected_total, reseller, ports.policy, now),
        command.access.actor,
        now,
    )


def extend_hold(command: ExtendHold, ports: Ports) -> Booking:
    """Raises BOOKING_NOT_FOUND, BOOKING_EXPIRED, BOOKING_NOT_ON_HOLD, BOOKING_CANCELLED, EXTENSION_LIMIT."""
    require_access(command.booking_id, command.access, ports)
    now, policy = ports.clock(), ports.policy
    return ports.store.bookings.extend(
        command.booking_id,
        lambda booking: extended_end(booking, policy, now, command.minutes),
        now,
        idempotency=command.idempotency,
    )


def extended_end(booking: Booking, policy: SalePolicy, now: datetime, minutes: int | None = None) -> datetime:
    """The new end of a hold. Raises EXTENSION_LIMIT when it cannot be later than it is."""
    latest = min(
        booking.created_at + timedelta(minutes=policy.max_hold_minutes),
        *(item.sales_end_at for item in booking.items),
    )
    facts = {"maximum": policy.max_extensions}
    if booking.extensions >= policy.max_extensions:
        raise Refused(
            Code.EXTENSION_LIMIT, f"A hold is extended at most {policy.max_extensions} times.", facts=facts
        )
    end = min(now + timedelta(minutes=minutes or policy.hold_minutes), latest)
    if end <= booking.expires_at:
        raise Refused(Code.EXTENSION_LIMIT, "The hold ends as late as it may.", facts=facts)
    return end


def cancel_booking(command: CancelBooking, ports: Ports) -> Booking:
    """Raises BOOKING_NOT_FOUND and what `plan_cancellation` raises."""
    require_access(command.booking_id, command.access, ports)
    now = ports.clock()

    def plan(booking: Booking) -> CancellationPlan:
        return plan_cancellation(booking, command.unit_item_ids, now, override_percent=command.refund_percent)

    return ports.store.bookings.cancel(
        command.booking_id,
        plan,
        Cancellation(actor=command.access.actor, reason=command.reason),
        now,
        idempotency=command.idempotency,
    )


def shown_status(booking: Booking, now: datetime) -> BookingStatus:
    """A hold whose time is over is shown as expired, whether or not anybody has swept it up."""
    if booking.status is BookingStatus.ON_HOLD and now >= booking.expires_at:
        return BookingStatus.EXPIRED
    return booking.status


def check_return_url(return_url: str | None, ports: Ports) -> None:
    """Raises RETURN_URL_NOT_ALLOWED unless the origin (RFC 6454) is one that a payer may be sent back to."""
    if return_url is None:
        return
    try:
        parts = urlsplit(return_url)
        origin = f"{parts.scheme}://{parts.netloc}".lower()
    except ValueError:
        origin = ""
    # A backslash is a slash to browsers, but not to urlsplit.
    if origin not in ports.return_url_origins or "\\" in return_url or not return_url.isascii():
        raise Refused(Code.RETURN_URL_NOT_ALLOWED, pointer="/returnUrl")


def _may_see(booking: Booking, access: Access) -> bool:
    if access.staff or access.booking_id == booking.id:
        return True
    if access.reseller_id is not None:
        return booking.reseller_id == access.reseller_id and booking.is_test == access.is_test
    return booking.principal is not None and access.principal == booking.principal


def _reseller_of(booking_id: UUID, ports: Ports) -> Reseller | None:
    """Whose terms hold for the booking, whoever changes it."""
    booking = ports.store.bookings.get(booking_id)
    if booking is None or booking.reseller_id is None:
        return None
    return ports.store.resellers.get(booking.reseller_id)


def _pricing(
    items: tuple[ItemOrder, ...],
    expected: ExpectedTotal | None,
    reseller: Reseller | None,
    policy: SalePolicy,
    now: datetime,
    *,
    currency: str | None = None,
) -> Pricing:
    def price(offers: Mapping[UUID, Offer], voucher: Voucher | None) -> PricedBooking:
        priced = price_booking(items, offers_in_order(items, offers), voucher, policy, now, reseller)
        if currency not in (None, priced.price.currency):
            raise Refused(Code.MIXED_CURRENCIES, f"It is sold in {priced.price.currency}.")
        total = ExpectedTotal(priced.price.total, priced.price.currency)
        if expected not in (None, total):
            facts = {"total": {"amount": total.amount, "currency": total.currency}}
            raise Refused(Code.PRICE_CHANGED, "The total is another one now.", "/expectedTotal", facts)
        return priced

    return price
