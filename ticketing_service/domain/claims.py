"""What a sale takes from the counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from common.identifiers import derived_id
from ticketing_service.domain.bookings import Booking, BookingItem, Customer
from ticketing_service.domain.errors import Code
from ticketing_service.domain.orders import HoldOrder, Offer
from ticketing_service.domain.resellers import credit_counter_id
from ticketing_service.domain.slots import Counter
from ticketing_service.domain.vouchers import Voucher

GUEST_COUNTERS = uuid5(NAMESPACE_URL, "urn:ticketing:guest")
"""The namespace of the counters of guests' standing holds."""


class ClaimKind(StrEnum):
    """Why a booking draws on a counter. A GUEST claim, a reseller's too, ends with the hold; the others
    become sold. CREDIT is counted in minor units, and stands for as long as it is owed.
    """

    SEAT = "seat"
    VOUCHER = "voucher"
    GUEST = "guest"
    CREDIT = "credit"


SCARCE = (ClaimKind.SEAT, ClaimKind.VOUCHER, ClaimKind.CREDIT)
"""What a test takes, to be refused where a real booking would be, and gives back in the same commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """`quantity` of a counter that a booking takes. `refusal` and `pointer` explain the counter's no."""

    counter_id: UUID
    kind: ClaimKind
    quantity: int
    item_id: UUID | None = None
    refusal: Code = Code.SOLD_OUT
    pointer: str | None = None


@dataclass(frozen=True, slots=True)
class GuestLimits:
    """How many unpaid holds a guest may have standing."""

    per_address: int
    per_email: int


def seat_claims(items: tuple[BookingItem, ...], offers: Mapping[UUID, Offer]) -> list[Claim]:
    """One claim for each item and counter of its slot, in people."""
    return [
        Claim(
            counter_id=counter.id,
            kind=ClaimKind.SEAT,
            quantity=sum(unit.pax_count for unit in item.units),
            item_id=item.id,
            pointer=f"/items/{position}",
        )
        for position, item in enumerate(items)
        for counter in offers[item.slot_id].slot.counters
    ]


def voucher_claims(voucher: Voucher | None, customer: Customer) -> list[tuple[Claim, Counter]]:
    """One use of the voucher in total and, where it is limited, one of the customer's own; with counters."""
    if voucher is None:
        return []
    counters = [Counter(id=voucher.id, capacity=voucher.max_uses)]
    if voucher.max_uses_per_customer is not None:
        own = derived_id(voucher.id, email_key(customer.email))
        counters.append(Counter(id=own, capacity=voucher.max_uses_per_customer))
    return [
        (
            Claim(
                counter_id=counter.id,
                kind=ClaimKind.VOUCHER,
                quantity=1,
                refusal=Code.VOUCHER_EXHAUSTED,
                pointer="/voucherCode",
            ),
            counter,
        )
        for counter in counters
    ]


def credit_claims(booking: Booking) -> list[Claim]:
    """What the reseller of the booking will owe for it."""
    if booking.reseller_id is None or not booking.net:
        return []
    counter_id = credit_counter_id(booking.reseller_id, booking.price.currency)
    refusal = Code.CREDIT_EXHAUSTED
    return [Claim(counter_id=counter_id, kind=ClaimKind.CREDIT, quantity=booking.net, refusal=refusal)]


def standing_claims(order: HoldOrder, limits: GuestLimits) -> list[tuple[Claim, Counter]]:
    """The standing hold, with its counters: of a guest for the address and for the e-mail address, of a
    reseller for all that it has. The customer of a reseller is none of ours, so no address counts there.
    """
    if order.reseller is not None:
        name = "standing tests" if order.is_test else "standing holds"
        counter = Counter(id=derived_id(order.reseller.id, name), capacity=order.reseller.max_holds)
        claim = Claim(counter_id=counter.id, kind=ClaimKind.GUEST, quantity=1, refusal=Code.TOO_MANY_HOLDS)
        return [(claim, counter)]
    if order.guest_network is None:
        return []
    sources = (
        ("address", order.guest_network, limits.per_address),
        ("email", email_key(order.customer.email), limits.per_email),
    )
    claims = []
    for source, value, limit in sources:
        counter = Counter(id=derived_id(GUEST_COUNTERS, source, value), capacity=limit)
        refusal = Code.TOO_MANY_HOLDS
        claims.append(
            (Claim(counter_id=counter.id, kind=ClaimKind.GUEST, quantity=1, refusal=refusal), counter)
        )
    return claims


def email_key(email: str) -> str:
    """E-mail addresses that differ in letter case or surrounding space are the same customer."""
    return email.strip().casefold()
