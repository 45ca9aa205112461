"""The price of a sale, and every check of it that needs no counter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from common.identifiers import uuid7
from ticketing_service.domain.bookings import (
    BookingItem,
    BookingStatus,
    IncludedTax,
    Price,
    SaleTerms,
    UnitItem,
)
from ticketing_service.domain.catalogue import AvailabilityType, Option, RefundStep, Tax, Ticket, TicketStatus
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.money import scaled, share_of, spread, tax_contained
from ticketing_service.domain.orders import ItemOrder, Offer, UnitQuantity, check_orders
from ticketing_service.domain.resellers import Reseller
from ticketing_service.domain.slots import Slot, SlotStatus
from ticketing_service.domain.vouchers import Voucher

__all__ = [
    "ItemOrder",
    "Offer",
    "PricedBooking",
    "SalePolicy",
    "UnitQuantity",
    "included_taxes",
    "price_booking",
    "unit_prices",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SalePolicy:
    """The rules that hold for every sale, and what a ticket gets that does not say otherwise.

    `fee` is minor units a booking; minutes and counts are what their names say. `currency` is that of a new
    ticket.
    """

    hold_minutes: int = 15
    fee: int = 250
    max_units_per_item: int = 10
    max_units_per_booking: int = 20
    max_extensions: int = 2
    max_hold_minutes: int = 60
    guest_holds_per_address: int = 10
    guest_holds_per_email: int = 3
    cutoff_start_time_minutes: int = 120
    cutoff_opening_hours_minutes: int = 30
    tax_basis_points: int = 900
    commission_basis_points: int = 800
    refund_policy: tuple[RefundStep, ...] = (RefundStep(24, 100),)
    currency: str = "EUR"

    def cutoff_minutes(self, availability_type: AvailabilityType) -> int:
        """The default cutoff of a ticket of that availability type."""
        if availability_type is AvailabilityType.START_TIME:
            return self.cutoff_start_time_minutes
        return self.cutoff_opening_hours_minutes

    @property
    def taxes(self) -> tuple[Tax, ...]:
        """The default taxes of a ticket."""
        return (Tax("VAT", self.tax_basis_points),) if self.tax_basis_points else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedBooking:
    """The items of a sale with new ids, on hold, their price, and the people whom each item brings."""

    items: tuple[BookingItem, ...]
    price: Price
    people: tuple[int, ...]

    @property
    def people_by_slot(self) -> Mapping[UUID, int]:
        """What to take from the counters: items of one slot add up."""
        totals: Counter[UUID] = Counter()
        for item, people in zip(self.items, self.people, strict=True):
            totals[item.slot_id] += people
        return totals


def price_booking(
    orders: Sequence[ItemOrder],
    offers: Sequence[Offer],
    voucher: Voucher | None,
    policy: SalePolicy,
    now: datetime,
    reseller: Reseller | None = None,
) -> PricedBooking:
    """Check and price a sale; `offers` has one entry for each of `orders`. A quote asks the same.

    Raises TICKET_NOT_ALLOWED, TICKET_NOT_ON_SALE, SLOT_CLOSED, CUTOFF_PASSED, UNKNOWN_OPTION, UNKNOWN_UNIT,
    UNIT_RESTRICTED, TOO_FEW_UNITS, TOO_MANY_UNITS, MIXED_CURRENCIES or VOUCHER_NOT_VALID, each with the
    pointer of the field at fault.
    """
    if reseller is not None:
        _check_allowed(offers, reseller)
    options = tuple(
        _option_on_sale(offer, now, f"/items/{index}/slotId") for index, offer in enumerate(offers)
    )
    check_orders(orders, options, policy.max_units_per_item, policy.max_units_per_booking)
    currency = _one_currency(offers)
    items = tuple(
        _item(order, offer, option, reseller)
        for order, offer, option in zip(orders, offers, options, strict=True)
    )
    if voucher is not None:
        items = _discounted(items, voucher, currency, now)
    commissions = [offer.ticket.commission_basis_points for offer in offers]
    items = tuple(
        _with_commission(item, rate, reseller) for item, rate in zip(items, commissions, strict=True)
    )
    units = [unit for item in items for unit in item.units]
    to_pay = sum(unit.paid for unit in units)
    price = Price(
        currency=currency,
        items=sum(unit.price for unit in units),
        discount=sum(unit.discount for unit in units),
        fee=policy.fee if to_pay and reseller is None else 0,
        included_taxes=included_taxes(items),
    )
    people = tuple(sum(unit.pax_count for unit in item.units) for item in items)
    return PricedBooking(items=items, price=price, people=people)


def unit_prices(option: Option, slot: Slot) -> tuple[tuple[UUID, int], ...]:
    """What each unit costs in that slot, for showing; a group option has one price of its own."""
    return tuple((unit.id, scaled(unit.price, slot.multiplier)) for unit in option.units)


def _check_allowed(offers: Sequence[Offer], reseller: Reseller) -> None:
    for index, offer in enumerate(offers):
        if not reseller.may_sell(offer.ticket.id):
            raise Refused(Code.TICKET_NOT_ALLOWED, pointer=f"/items/{index}/slotId")


def _option_on_sale(offer: Offer, now: datetime, pointer: str) -> Option:
    ticket, slot = offer.ticket, offer.slot
    if ticket.status is not TicketStatus.ACTIVE:
        raise Refused(Code.TICKET_NOT_ON_SALE, "The ticket is not on sale.", pointer)
    if slot.status is not SlotStatus.OPEN:
        raise Refused(Code.SLOT_CLOSED, f"The slot is {slot.status}.", pointer)
    if now >= slot.sales_end_at:
        raise Refused(Code.CUTOFF_PASSED, "Sales for the slot have ended.", pointer)
    option = ticket.option(slot.option_id)
    if option is None:
        raise Refused(Code.UNKNOWN_OPTION, "The ticket no longer has the option of this slot.", pointer)
    return option


def _one_currency(offers: Sequence[Offer]) -> str:
    currency = offers[0].ticket.currency
    for index, offer in enumerate(offers):
        if offer.ticket.currency != currency:
            detail = f"The booking is in {currency}, this item in {offer.ticket.currency}."
            raise Refused(Code.MIXED_CURRENCIES, detail, f"/items/{index}/slotId")
    return currency


def _item(order: ItemOrder, offer: Offer, option: Option, reseller: Reseller | None) -> BookingItem:
    slot, ticket = offer.slot, offer.ticket
    known = {unit.id: unit for unit in option.units}
    wanted = [known[line.unit_id] for line in order.units for _ in range(line.quantity)]
    if option.price is None:
        prices = [_asked(unit.price, slot, reseller) for unit in wanted]
    else:
        whole = _asked(option.price, slot, reseller)
        prices = spread(whole, [1] * len(wanted), [unit.id for unit in wanted])
    return BookingItem(
        id=uuid7(),
        ticket_id=ticket.id,
        option_id=option.id,
        slot_id=slot.id,
        local_start=slot.local_start,
        local_end=slot.local_end,
        time_zone=slot.time_zone,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        sales_end_at=slot.sales_end_at,
        terms=_terms(ticket, option, slot),
        units=tuple(
            UnitItem(
                id=uuid7(),
                unit_id=unit.id,
                unit_type=unit.type,
                title=unit.title,
                pax_count=unit.pax_count,
                price=price,
                discount=0,
                commission=0,
                status=BookingStatus.ON_HOLD,
            )
            for unit, price in zip(wanted, prices, strict=True)
        ),
    )


def _asked(price: int, slot: Slot, reseller: Reseller | None) -> int:
    scaled_price = scaled(price, slot.multiplier)
    return scaled_price if reseller is None else reseller.retail(scaled_price)


def _terms(ticket: Ticket, option: Option, slot: Slot) -> SaleTerms:
    return SaleTerms(
        ticket_type=ticket.type,
        ticket_title=ticket.title,
        option_title=option.title,
        poi_ids=ticket.poi_ids,
        refund_policy=ticket.refund_policy,
        taxes=ticket.taxes,
        valid_days=ticket.valid_days,
        all_day=slot.all_day,
    )


def _discounted(
    items: tuple[BookingItem, ...], voucher: Voucher, currency: str, now: datetime
) -> tuple[BookingItem, ...]:
    eligible = [item for item in items if not voucher.ticket_ids or item.ticket_id in voucher.ticket_ids]
    problem = _voucher_problem(voucher, currency, now)
    if problem is None and not eligible:
        problem = "The voucher is for other tickets."
    if problem is not None:
        raise Refused(Code.VOUCHER_NOT_VALID, problem, "/voucherCode")
    # A cent left over goes by what the item is, not by its place: the order of items changes no total.
    units = [(_content(item), str(unit.unit_id), unit) for item in eligible for unit in item.units]
    prices = [unit.price for *_, unit in units]
    if voucher.percent_basis_points is not None:
        discount = share_of(sum(prices), voucher.percent_basis_points)
    else:
        discount = min(voucher.amount or 0, sum(prices))
    shares = spread(discount, prices, [(content, unit_id) for content, unit_id, _ in units])
    discount_of = {unit.id: share for (*_, unit), share in zip(units, shares, strict=True)}
    return tuple(
        replace(item, units=tuple(replace(u, discount=discount_of.get(u.id, 0)) for u in item.units))
        for item in items
    )


def _voucher_problem(voucher: Voucher, currency: str, now: datetime) -> str | None:
    if not voucher.active:
        return "The voucher is not active."
    if now < voucher.valid_from:
        return "The voucher is not valid yet."
    if now >= voucher.valid_until:
        return "The voucher is not valid any more."
    if voucher.currency is not None and voucher.currency != currency:
        return f"The voucher is in {voucher.currency}, the booking in {currency}."
    return None


def _content(item: BookingItem) -> tuple[str, tuple[tuple[str, int], ...]]:
    quantities = Counter(str(unit.unit_id) for unit in item.units)
    return str(item.slot_id), tuple(sorted(quantities.items()))


def _with_commission(item: BookingItem, basis_points: int, reseller: Reseller | None) -> BookingItem:
    """What a reseller owes for each unit, and the platform's share of what we get."""
    units = item.units
    if reseller is not None:
        units = tuple(replace(unit, net=reseller.net(unit.paid)) for unit in units)
    units = tuple(replace(unit, commission=share_of(unit.due, basis_points)) for unit in units)
    return replace(item, units=units)


def included_taxes(items: Sequence[BookingItem]) -> tuple[IncludedTax, ...]:
    """Each tax of each line, added up. A line is all unit items of one unit in one item, after discount."""
    amounts: Counter[tuple[str, int]] = Counter()
    for item in items:
        lines: Counter[UUID] = Counter()
        for unit in item.units:
            lines[unit.unit_id] += unit.paid
        for tax in item.terms.taxes:
            for paid in lines.values():
                amounts[tax.name, tax.rate_basis_points] += tax_contained(paid, tax.rate_basis_points)
    return tuple(IncludedTax(name, rate, amount) for (name, rate), amount in sorted(amounts.items()))
