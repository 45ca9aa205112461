"""The predecessor's bookings with their issued tickets: read, priced, and held to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from common.texts import LANGUAGES
from common.transfer.documents import Document
from common.transfer.members import Unfit, in_hundredths
from common.transfer.object_ids import id_of
from ticketing_service.domain.bookings import BookingStatus, PaymentState, derived_status
from ticketing_service.domain.catalogue import RefundStep, UnitType
from ticketing_service.domain.money import percent_of, spread
from ticketing_service.domain.states import SOLD
from ticketing_service.storage.predecessor.catalogue import (
    POLICY,
    UNITS,
    YEARS,
    Availability,
    currency_of,
    time_of,
)
from ticketing_service.storage.predecessor.members import AUTHORIZED, BOOKINGS, TICKETS
from ticketing_service.storage.predecessor.reasons import Reason

HOLD = timedelta(minutes=15)
MOST_GUESTS = 400
"""A booking's id has room for the lines of so many."""

_CAPTURED = (PaymentState.CAPTURED, PaymentState.REFUNDED, PaymentState.PARTIALLY_REFUNDED)
_GIVEN_BACK = (PaymentState.REFUNDED, PaymentState.PARTIALLY_REFUNDED)
_CENT = 1
"""The parts of its price were rounded each by itself."""

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A unit item; minor units."""

    type: UnitType
    price: int
    discount: int
    commission: int
    status: BookingStatus
    ticket: Issued | None

    @property
    def paid(self) -> int:
        return self.price - self.discount


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A ticket. `fate` is good, used or ended."""

    id: UUID
    type: str
    fate: str
    valid_from: datetime
    valid_until: datetime
    used_at: datetime | None
    gate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A booking; minor units. `captured` is what came of `total`, `refunded` what of that was given back."""

    id: UUID
    values: Values
    status: BookingStatus
    slot: Availability
    guests: tuple[Guest, ...]
    taxes: int
    fee: int
    payment: PaymentState
    captured: int
    refunded: int

    @property
    def items(self) -> int:
        return sum(each.price for each in self.guests)

    @property
    def discount(self) -> int:
        return sum(each.discount for each in self.guests)

    @property
    def total(self) -> int:
        return self.items - self.discount + self.fee

    @property
    def confirmed_at(self) -> datetime:
        """When it was paid, or, free of charge, made."""
        moment: datetime = self.values["payment.paidAt"] or self.values["createdAt"]
        return moment

    @property
    def ended_at(self) -> datetime:
        """When it was cancelled."""
        moment: datetime = self.values["cancellation.cancelledAt"] or self.values["updatedAt"]
        return moment

    @property
    def expires_at(self) -> datetime:
        moment: datetime = self.values["reservation.lockedUntil"] or self.values["createdAt"] + HOLD
        return moment


def guests_of(values: Values) -> list[UnitType]:
    """One for each guest. Raises Unfit."""
    counts = [values[f"details.guests.{each}"] for each in ("adults", "children", "infants")]
    if min(counts) < 0 or not 0 < sum(counts) <= MOST_GUESTS:
        raise Unfit(Reason.GUESTS)
    return [unit for unit, count in zip(UNITS, counts, strict=True) for _ in range(count)]


def taken(document: Document, slot: Availability | None, tickets: Sequence[Document]) -> Taken:
    """The booking, on the slot that it names, with its tickets. Raises Unfit."""
    values = BOOKINGS.read(document)
    if slot is None:
        raise Unfit(Reason.NO_SLOT)
    if values["experience.language"] not in LANGUAGES:
        raise Unfit(Reason.LANGUAGE)
    if currency_of(values["pricing.currency"]) != slot.kind.currency:
        raise Unfit(Reason.CURRENCY)
    time_of(values["details.time"])
    status = BookingStatus(values["status"])
    kinds = guests_of(values)
    issued = _issued(status, len(kinds), tickets, document)
    fee, total = (in_hundredths(values[f"pricing.{each}"]) for each in ("fees", "totalPrice"))
    taxes = in_hundredths(values["pricing.taxes"])
    statuses = _statuses(status, issued, len(kinds))
    guests = _guests(values, kinds, total - fee, taxes, statuses, issued)
    payment = PaymentState(values["payment.status"])
    _check_payment(values, status, payment, total)
    return Taken(
        id=id_of(document["_id"]),
        values=values,
        # one whose tickets are all used was seldom written down as completed
        status=derived_status(statuses),
        slot=slot,
        guests=guests,
        taxes=taxes,
        fee=fee,
        payment=payment,
        captured=total if payment in _CAPTURED else 0,
        refunded=_refunded(values, payment, total),
    )


def policy_of(booking: Taken) -> tuple[RefundStep, ...]:
    """What the customer was promised. A deadline within an hour is that hour's beginning, in his favour."""
    values = booking.values
    percent = {"full": 100, "partial": values["cancellation.partialRefundPercentage"] or 0, "none": 0}
    if not values["cancellation.allowCancellation"]:
        return ()
    deadline = values["cancellation.cancellationDeadline"]
    if deadline is None:
        hours = POLICY[0].hours_before
    else:
        counts_to = booking.slot.ends_at if booking.slot.kind.all_day else booking.slot.starts_at
        hours = max(0, (counts_to - deadline) // timedelta(hours=1))
    return (RefundStep(hours, percent[values["cancellation.refundPolicy"]]),)


def _issued(
    status: BookingStatus, guests: int, tickets: Sequence[Document], booking: Document
) -> tuple[Issued, ...]:
    found = tuple(_ticket(each, booking) for each in tickets)
    if (status in SOLD and len(found) != guests) or len(found) not in (0, guests):
        raise Unfit(Reason.TICKET_COUNT)
    if found and status not in (*SOLD, BookingStatus.CANCELLED):
        raise Unfit(Reason.TICKET_COUNT)
    if len({each.type for each in found}) > 1:
        raise Unfit(Reason.TICKET_STATUS)
    return found


def _ticket(document: Document, booking: Document) -> Issued:
    values = TICKETS.read(document)
    used_at, is_used = values["validation.validatedAt"], values["validation.isValidated"]
    begin, end = values["validity.validFrom"], values["validity.validUntil"]
    if begin > end or begin.year not in YEARS or end.year not in YEARS or (is_used and used_at is None):
        raise Unfit(Reason.TICKET_DATES)
    if values["details.quantity"] != 1:
        raise Unfit(Reason.TICKET_COUNT)
    if values["poiId"] != booking["poiId"] or is_used != (values["status"] == "used"):
        raise Unfit(Reason.TICKET_STATUS)
    return Issued(
        id=id_of(document["_id"]),
        type=values["type"],
        fate=values["status"],
        valid_from=begin,
        valid_until=end,
        used_at=used_at if is_used else None,
        gate=values["validation.validatedBy"],
    )


def _statuses(status: BookingStatus, issued: Sequence[Issued], guests: int) -> list[BookingStatus]:
    """Of each guest. Raises Unfit where a ticket says otherwise than the booking."""
    fates = [each.fate for each in issued]
    if status not in SOLD:
        if "used" in fates:
            raise Unfit(Reason.TICKET_STATUS)
        return [status] * guests
    if "ended" in fates or (status is BookingStatus.NO_SHOW and "used" in fates):
        raise Unfit(Reason.TICKET_STATUS)
    unused = status
    if status is BookingStatus.REDEEMED and "used" in fates:
        unused = BookingStatus.NO_SHOW
    return [BookingStatus.REDEEMED if fate == "used" else unused for fate in fates]


def _guests(
    values: Values,
    kinds: Sequence[UnitType],
    paid: int,
    taxes: int,
    statuses: Sequence[BookingStatus],
    issued: Sequence[Issued],
) -> tuple[Guest, ...]:
    """Each with its share of what was asked. Raises Unfit."""
    base, discount = (in_hundredths(values[f"pricing.{each}"]) for each in ("basePrice", "discount"))
    commission = in_hundredths(values["pricing.commission"])
    items = paid + discount
    payers = _payers(kinds, base, items - taxes)
    if min(base, discount, taxes, commission, items, paid) < 0 or commission > paid:
        raise Unfit(Reason.DISCOUNT)
    places = range(len(kinds))
    prices = spread(items, payers, places) if items else [0] * len(kinds)
    discounts = spread(discount, prices, places) if discount else [0] * len(kinds)
    net = [price - less for price, less in zip(prices, discounts, strict=True)]
    commissions = spread(commission, net, places) if commission else [0] * len(kinds)
    return tuple(
        Guest(
            type=kinds[each],
            price=prices[each],
            discount=discounts[each],
            commission=commissions[each],
            status=statuses[each],
            ticket=issued[each] if issued else None,
        )
        for each in places
    )


def _payers(kinds: Sequence[UnitType], base: int, untaxed: int) -> list[int]:
    """1 for who paid and 0 for who did not: all, or all but the infants, or the adults, as the sum says."""
    for free in ((), (UnitType.INFANT,), (UnitType.CHILD, UnitType.INFANT)):
        payers = [0 if each in free else 1 for each in kinds]
        if abs(base * sum(payers) - untaxed) <= _CENT:
            return payers
    raise Unfit(Reason.SUM)


def _check_payment(values: Values, status: BookingStatus, payment: PaymentState, total: int) -> None:
    if values["payment.status"] == AUTHORIZED:
        raise Unfit(Reason.AUTHORIZED)
    if total and payment in _CAPTURED and not values["payment.transactionId"]:
        raise Unfit(Reason.NO_TRANSACTION)
    if total and status in SOLD and payment not in _CAPTURED:
        raise Unfit(Reason.UNPAID)
    is_kept = payment in _CAPTURED and payment is not PaymentState.REFUNDED
    in_vain = {BookingStatus.ON_HOLD: payment in _CAPTURED, BookingStatus.EXPIRED: is_kept}
    if total and in_vain.get(status):
        raise Unfit(Reason.PAID_IN_VAIN)


def _refunded(values: Values, payment: PaymentState, total: int) -> int:
    if payment not in _GIVEN_BACK:
        return 0
    if payment is PaymentState.REFUNDED:
        return total
    percent = values["cancellation.partialRefundPercentage"]
    if percent is None or not 0 <= percent <= 100:
        raise Unfit(Reason.PARTLY)
    return percent_of(total, int(percent))
