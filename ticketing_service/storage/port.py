"""What the actions ask of a store: a Protocol an aggregate, each verb atomic by itself.

Every verb that writes takes `idempotency`: with one, the answer is kept in the same commit, a repetition
raises `common.web.idempotency.Replayed` and another request under the same key raises `KeyReused`. Every verb
may raise `common.database.StoreUnavailable`; refusals are `ticketing_service.domain.errors.Refused`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from common.outbox.port import StoredTask
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.admissions import Admission, Redemption, Scan
from ticketing_service.domain.bookings import (
    Booking,
    BookingStatus,
    HistoryRow,
    Observation,
    Payment,
)
from ticketing_service.domain.catalogue import Poi, Ticket, TicketQuery
from ticketing_service.domain.claims import GuestLimits
from ticketing_service.domain.orders import HoldOrder, ItemOrder, Offer
from ticketing_service.domain.pricing import PricedBooking
from ticketing_service.domain.refunds import CancellationPlan
from ticketing_service.domain.slots import (
    PlannedSlot,
    Schedule,
    ScheduleOutcome,
    Slot,
    SlotChange,
)
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.platform_port import PeopleStore, PlatformStore

Pricing = Callable[[Mapping[UUID, Offer], Voucher | None], PricedBooking]
"""Prices and checks an order against what the store found for it; raises `Refused`. Called inside the verb.
"""

Issue = Callable[[Booking], Sequence[Admission]]
"""Makes the signed admissions of a paid booking. Called inside the verb."""

Plan = Callable[[Booking], CancellationPlan]
"""Decides what of a booking is cancelled and what is given back; raises `Refused`. Called inside the verb."""


class CatalogueStore(Protocol):
    """Tickets, and our copy of the POIs that they are for."""

    def create(self, ticket: Ticket, *, idempotency: Idempotency | None = None) -> Ticket: ...

    def replace(
        self, ticket: Ticket, expected_version: int, *, idempotency: Idempotency | None = None
    ) -> Ticket:
        """Store `ticket` (its version is set to the next). Refuses TICKET_NOT_FOUND, VERSION_CONFLICT."""
        ...

    def ticket(self, ticket_id: UUID) -> Ticket | None: ...

    def search(self, query: TicketQuery) -> Page[Ticket]:
        """By words (every one a prefix of a word of the ticket) and filters; `date_from`/`date_to` ask for an
        open slot with a place left on those local days. A cursor that is not of this list
        is refused as `common.web.paging` says.
        """
        ...

    def pois(self, poi_ids: Iterable[UUID]) -> dict[UUID, Poi]: ...

    def put_pois(self, pois: Iterable[Poi]) -> int:
        """Take over what is newer than our copy, and its city, category and point onto its tickets. Counts
        changes.
        """
        ...


@dataclass(frozen=True, slots=True)
class CountedAgain:
    """`drifted` counters are not what their bookings add up to. `last`: go on after it; None at the end."""

    drifted: tuple[UUID, ...]
    last: UUID | None


class SlotStore(Protocol):
    def between(
        self, ticket_id: UUID, day_from: date, day_to: date, option_id: UUID | None = None
    ) -> tuple[Slot, ...]:
        """The slots that start on the local days, both included, in the order of start and option."""
        ...

    def offers(self, slot_ids: Iterable[UUID]) -> dict[UUID, Offer]: ...

    def put_schedule(
        self,
        ticket: Ticket,
        schedule: Schedule,
        planned: Sequence[PlannedSlot],
        now: datetime,
        *,
        extending: bool = False,
        idempotency: Idempotency | None = None,
    ) -> ScheduleOutcome:
        """Replace the ticket's schedule and bring its future slots in line with it. A slot keeps its id by
        (option, local start). One with seats held or sold is never removed: it is closed and reported as a
        conflict. A capacity never falls below what is taken (it is set to what is taken, and the slot is a
        conflict).

        `extending` only adds the slots that are missing, and nothing at all when `schedule` is not the
        ticket's any more: time alone must not undo what staff have closed or changed.
        """
        ...

    def schedule(self, ticket_id: UUID) -> Schedule | None: ...

    def schedules_to_extend(self, extended_before: datetime, limit: int) -> tuple[UUID, ...]:
        """Tickets with an open-ended schedule whose slots were last made before that instant."""
        ...

    def change(
        self, slot_id: UUID, change: SlotChange, now: datetime, *, idempotency: Idempotency | None = None
    ) -> Slot:
        """Refuses SLOT_NOT_FOUND, SLOT_CANCELLED, CAPACITY_BELOW_TAKEN."""
        ...

    def cancel(
        self,
        slot_id: UUID,
        reason: str,
        actor: str,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Slot:
        """No more sales; the outbox gets a `slot-cancelled` task that cancels its bookings. Repeatable."""
        ...

    def bookings_on(self, slot_id: UUID, after: UUID | None, limit: int) -> tuple[UUID, ...]:
        """Bookings with a live unit on the slot, by id."""
        ...

    def count_again(self, after: UUID | None, limit: int) -> CountedAgain:
        """The next `limit` capacity counters by id, held against what bookings take of them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A change of a booking: fields of `Customer` at any time; the items while it is on hold."""

    contact: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[ItemOrder, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Who cancels, why, and what is to be told."""

    actor: str
    reason: str
    by_destination: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingQuery:
    """Filters of the staff's list; None is no filter. Newest first."""

    status: BookingStatus | None = None
    reference: str | None = None
    email: str | None = None
    ticket_id: UUID | None = None
    slot_id: UUID | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    limit: int = 20
    cursor: str | None = None


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
        """Take the places, or refuse (SOLD_OUT, VOUCHER_EXHAUSTED, TOO_MANY_HOLDS, what `price` refuses) and
        change nothing. Expired holds that stand on a counter that refuses are released first.
        """
        ...

    def get(self, booking_id: UUID) -> Booking | None: ...

    def by_reference(self, reference: str) -> Booking | None: ...

    def by_email(self, email: str, limit: int) -> tuple[Booking, ...]:
        """The newest bookings of a customer that are worth a link (not expired)."""
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
        idempotency: Idempotency | None = None,
    ) -> Booking:
        """Confirm a booking that costs nothing; answers a confirmed one as it is. Refuses PAYMENT_REQUIRED,
        BOOKING_EXPIRED, BOOKING_CANCELLED, BOOKING_NOT_FOUND."""
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


class AdmissionStore(Protocol):
    def of_booking(self, booking_id: UUID) -> tuple[Admission, ...]: ...

    def get(self, admission_id: UUID) -> Admission | None: ...

    def redeem(
        self,
        scan: Scan,
        check: Callable[[Admission], str],
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Redemption:
        """Use the entry right that `check` names (it raises `Refused`). A `scan_id` that is known gets its
        first answer. Refuses ADMISSION_NOT_FOUND, ALREADY_REDEEMED with when and where the first scan was.
        """
        ...

    def revocations(self, since: datetime | None, limit: int, cursor: str | None) -> Page[Admission]:
        """Cancelled admissions in the order of their cancellation."""
        ...

    def document(self, booking_id: UUID, booking_version: int) -> bytes | None:
        """The PDF of the booking's admissions, when it is made for that version or a later one."""
        ...

    def put_document(self, booking_id: UUID, booking_version: int, pdf: bytes, now: datetime) -> None: ...


class VoucherStore(Protocol):
    def create(self, voucher: Voucher, *, idempotency: Idempotency | None = None) -> Voucher:
        """Refuses VOUCHER_CODE_TAKEN."""
        ...

    def replace(
        self, voucher: Voucher, expected_version: int, *, idempotency: Idempotency | None = None
    ) -> Voucher:
        """Refuses VOUCHER_NOT_FOUND, VERSION_CONFLICT, VOUCHER_BELOW_USED."""
        ...

    def get(self, voucher_id: UUID) -> Voucher | None: ...

    def by_code(self, code: str) -> Voucher | None: ...

    def page(self, limit: int, cursor: str | None) -> Page[Voucher]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueQuery:
    """The days of the books are UTC days; `group_by` is one of day, ticket, type, unit, channel."""

    day_from: date
    day_to: date
    group_by: str = "day"
    ticket_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueRow:
    """Minor units of `currency`. `sales` and `fees` are what was captured, `refunds` what was given back of
    it.
    """

    key: str
    currency: str
    bookings: int
    units: int
    sales: int
    fees: int
    refunds: int
    commission: int


class LedgerStore(Protocol):
    def revenue(self, query: RevenueQuery) -> tuple[RevenueRow, ...]: ...


Task = StoredTask
"""What is to be done outside after a commit."""


class OutboxStore(Protocol):
    def claim(self, now: datetime, lease_until: datetime, limit: int) -> tuple[Task, ...]:
        """Due tasks, leased to the caller until `lease_until`; oldest first."""
        ...

    def done(self, task_id: UUID) -> None: ...

    def failed(self, task_id: UUID, error: str, retry_at: datetime | None) -> None:
        """Try again at `retry_at`; None gives the task up and keeps it as dead."""
        ...

    def add(
        self, kind: str, payload: Mapping[str, Any], now: datetime, *, idempotency: Idempotency | None = None
    ) -> None: ...

    def depth(self, now: datetime) -> tuple[int, float]:
        """Tasks that wait, and the age of the oldest in seconds."""
        ...

    def beat(self, owner: str, now: datetime, lease_until: datetime) -> bool:
        """Be, or stay, the one active worker. False while another one's lease runs. Records the heartbeat."""
        ...

    def heartbeat(self) -> datetime | None: ...

    def purge(self, now: datetime, limit: int) -> int:
        """Forget idempotency answers older than 48 hours and guest counters that count nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """All ports of one store. `ping` asks for a sign of life, on a connection of its own;
    `connections_in_use` counts those that are at work; `close` lets go of all.
    """

    kind: str
    catalogue: CatalogueStore
    slots: SlotStore
    bookings: BookingStore
    payments: PaymentStore
    admissions: AdmissionStore
    vouchers: VoucherStore
    ledger: LedgerStore
    outbox: OutboxStore
    people: PeopleStore
    platform: PlatformStore
    ping: Callable[[], None]
    connections_in_use: Callable[[], int]
    close: Callable[[], None]
