"""Bookings, from the hold to their end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import (
    Booking,
    BookingStatus,
)
from ticketing_service.domain.claims import GuestLimits
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.history import HistoryRow
from ticketing_service.domain.orders import HoldOrder, ItemOrder, Offer
from ticketing_service.domain.resale import Resale, ResoldUnit
from ticketing_service.storage.ports.calls import Issue, Plan, Pricing


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A change of a booking: fields of `Customer` at any time, and what its reseller has written down, from
    what that was; the items while it is on hold, with `issue` also of what was sold on account, where its
    total does not rise (see `domain.exchanges`). `names`: what its reseller calls the unit items that there
    are to be. `names_customer`: whom it is for must be known then.
    """

    contact: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[ItemOrder, ...] | None = None
    resale: Callable[[Resale], Resale] | None = None
    names_customer: bool = False
    names: tuple[ResoldUnit, ...] | None = None
    issue: Issue | None = None

    def exchanges(self, booking: Booking) -> bool:
        """Whether it is for other places of what was sold."""
        is_sold = booking.status is BookingStatus.CONFIRMED and booking.on_account
        return self.items is not None and self.issue is not None and is_sold

    def of(self, booking: Booking) -> Booking:
        """`booking` with all of it but the items. Raises CONTACT_REQUIRED."""
        resale = booking.resale
        if self.resale is not None and resale is not None:
            resale = self.resale(resale)
        customer = replace(booking.customer, **self.contact)
        if self.names_customer and not (customer.name and customer.email):
            raise Refused(Code.CONTACT_REQUIRED)
        return replace(booking, customer=customer, resale=resale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Who cancels, why, and what is to be told."""

    actor: str
    reason: str
    by_destination: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingQuery:
    """Filters of the list; None is no filter. Newest first. `local_from` and `local_to` are the local days,
    both included, on one of which an item begins.
    """

    status: BookingStatus | None = None
    reference: str | None = None
    email: str | None = None
    ticket_id: UUID | None = None
    slot_id: UUID | None = None
    reseller_id: UUID | None = None
    is_test: bool | None = None
    resale_reference: str | None = None
    local_from: date | None = None
    local_to: date | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    limit: int = 20
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What has become of a booking: its history; its admissions by unit item, and when each was first used;
    what its reseller was given back (minor units). `offer` is the slot of its first item as it is now, with
    its ticket.
    """

    offer: Offer | None = None
    history: tuple[HistoryRow, ...] = ()
    admissions: Mapping[UUID, Admission] = field(default_factory=dict)
    used_at: Mapping[UUID, datetime] = field(default_factory=dict)
    given_back: int = 0


class BookingStore(Protocol):
    def hold(
        self,
        order: HoldOrder,
        price: Pricing,
        limits: GuestLimits,
        expires_at: datetime,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        """Take the places, or refuse (SOLD_OUT, VOUCHER_EXHAUSTED, TOO_MANY_HOLDS, CREDIT_EXHAUSTED, what
        `price` refuses, RESALE_UUID_TAKEN) and change nothing. Expired holds that stand on a counter that
        refuses are released first.
        """
        ...

    def get(self, booking_id: UUID) -> Booking | None: ...

    def by_reference(self, reference: str) -> Booking | None: ...

    def by_resale_uuid(self, reseller_id: UUID, uuid: UUID, *, is_test: bool) -> Booking | None:
        """The booking that the reseller calls so."""
        ...

    def resold_id(self, reseller_id: UUID, uuid: UUID, *, is_test: bool) -> UUID | None:
        """The id of the booking that the reseller calls so."""
        ...

    def courses(self, bookings: Sequence[Booking]) -> dict[UUID, Course]:
        """What has become of each of the bookings: nothing but its offer of a hold, uses where any unit item
        was used, what was given back where all of it was cancelled.
        """
        ...

    def by_email(self, email: str, limit: int) -> tuple[Booking, ...]:
        """The newest bookings of a customer that are worth a link (not expired, no tests)."""
        ...

    def search(self, query: BookingQuery) -> Page[Booking]: ...

    def history(self, booking_id: UUID) -> tuple[HistoryRow, ...]: ...

    def amend(
        self,
        booking_id: UUID,
        amendment: Amendment,
        price: Pricing,
        actor: str,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        """Refuses BOOKING_NOT_FOUND, BOOKING_EXPIRED, BOOKING_NOT_ON_HOLD, and as `hold` does."""
        ...

    def confirm_free(
        self,
        booking_id: UUID,
        issue: Issue,
        actor: str,
        now: datetime,
        *,
        amendment: Amendment | None = None,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        """Confirm a booking for which nothing is to be paid now: it is free, or a reseller owes it; with what
        of it is changed in the same commit, but for its items. Answers a confirmed one as it is. Refuses
        PAYMENT_REQUIRED, BOOKING_EXPIRED, BOOKING_CANCELLED, BOOKING_NOT_FOUND.
        """
        ...

    def extend(
        self,
        booking_id: UUID,
        expires_at: Callable[[Booking], datetime],
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        """Move the end of a living hold to what `expires_at` says (it may refuse EXTENSION_LIMIT)."""
        ...

    def cancel(
        self,
        booking_id: UUID,
        plan: Plan,
        cancellation: Cancellation,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        """Cancel what `plan` says: places back, refund row and its task, mail. A booking that is cancelled
        already is answered as it is, without asking `plan`.
        """
        ...

    def expire_due(self, now: datetime, limit: int) -> int:
        """Release up to `limit` holds that have ended; says how many."""
        ...

    def mark_no_shows(self, now: datetime, limit: int) -> int:
        """Unit items whose admission ended unused become no_show; says how many bookings were touched."""
        ...
