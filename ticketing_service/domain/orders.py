"""What a customer asks for, and the limits on how many of what may be booked together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ticketing_service.domain.bookings import Channel, Customer
from ticketing_service.domain.catalogue import Option, Ticket, Unit
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.resale import Resale
from ticketing_service.domain.resellers import Reseller
from ticketing_service.domain.slots import Slot


@dataclass(frozen=True, slots=True)
class UnitQuantity:
    unit_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class ItemOrder:
    """What a customer wants of one slot; that of another ticket or option than is named is not meant."""

    slot_id: UUID
    units: tuple[UnitQuantity, ...]
    ticket_id: UUID | None = None
    option_id: UUID | None = None

    def is_of(self, slot: Slot) -> bool:
        """Whether `slot` is the one that is meant."""
        return self.ticket_id in (None, slot.ticket_id) and self.option_id in (None, slot.option_id)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the store found for an item: the slot as it is now, and the ticket it belongs to."""

    slot: Slot
    ticket: Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOrder:
    """A booking to be made.

    `guest_network` (client address, IPv6 by /64) is set for guests alone; their standing holds are limited by
    it and by e-mail address, those of a `reseller` by its own limit. A test is refused where a real booking
    would be, and takes nothing.
    """

    booking_id: UUID
    reference: str
    items: tuple[ItemOrder, ...]
    customer: Customer
    voucher_code: str | None
    return_url: str | None
    channel: Channel
    principal: str | None
    guest_network: str | None
    reseller: Reseller | None = None
    is_test: bool = False
    resale: Resale | None = None


def check_orders(
    orders: Sequence[ItemOrder], options: Sequence[Option], max_per_item: int, max_per_booking: int
) -> None:
    """Refuse an order that its options (one for each item) or the limits (in units) do not allow.

    Raises UNKNOWN_UNIT, UNIT_RESTRICTED, TOO_FEW_UNITS or TOO_MANY_UNITS.
    """
    if not orders:
        raise Refused(Code.TOO_FEW_UNITS, "Nothing is ordered.", "/items")
    for index, (order, option) in enumerate(zip(orders, options, strict=True)):
        _check_item(order, option, max_per_item, f"/items/{index}/units")
    count = sum(line.quantity for order in orders for line in order.units)
    if count > max_per_booking:
        detail = f"A booking has at most {max_per_booking} units, not {count}."
        raise Refused(Code.TOO_MANY_UNITS, detail, "/items", {"maximum": max_per_booking})


def _check_item(order: ItemOrder, option: Option, max_per_item: int, pointer: str) -> None:
    known = {unit.id: unit for unit in option.units}
    seen: set[UUID] = set()
    for index, line in enumerate(order.units):
        if line.unit_id not in known:
            detail = "The option has no such unit."
            raise Refused(Code.UNKNOWN_UNIT, detail, f"{pointer}/{index}/unitId")
        if line.unit_id in seen:
            raise Refused(Code.UNIT_RESTRICTED, "The unit is named twice.", f"{pointer}/{index}/unitId")
        if line.quantity < 1:
            detail = "A quantity is at least 1."
            raise Refused(Code.TOO_FEW_UNITS, detail, f"{pointer}/{index}/quantity", {"minimum": 1})
        seen.add(line.unit_id)
    _check_size(order, option, max_per_item, pointer)
    for index, line in enumerate(order.units):
        _check_restrictions(known[line.unit_id], line.quantity, seen, f"{pointer}/{index}")
    if not any(known[line.unit_id].pax_count for line in order.units):
        detail = "Nobody in the item takes a place; it needs somebody who does."
        raise Refused(Code.UNIT_RESTRICTED, detail, pointer)


def _check_size(order: ItemOrder, option: Option, max_per_item: int, pointer: str) -> None:
    count = sum(line.quantity for line in order.units)
    fewest, most = max(1, option.min_units), min(option.max_units, max_per_item)
    if count < fewest:
        detail = f"At least {fewest} units are booked together, not {count}."
        raise Refused(Code.TOO_FEW_UNITS, detail, pointer, {"minimum": fewest})
    if count > most:
        # One field is at fault when there is only one.
        where = f"{pointer}/0/quantity" if len(order.units) == 1 else pointer
        detail = f"At most {most} units are booked together, not {count}."
        raise Refused(Code.TOO_MANY_UNITS, detail, where, {"maximum": most})


def _check_restrictions(unit: Unit, quantity: int, booked: set[UUID], pointer: str) -> None:
    rules = unit.restrictions
    if rules.min_quantity is not None and quantity < rules.min_quantity:
        detail = f"At least {rules.min_quantity} of this unit are booked together."
        raise Refused(Code.UNIT_RESTRICTED, detail, f"{pointer}/quantity", {"minimum": rules.min_quantity})
    if rules.max_quantity is not None and quantity > rules.max_quantity:
        detail = f"At most {rules.max_quantity} of this unit are booked together."
        raise Refused(Code.UNIT_RESTRICTED, detail, f"{pointer}/quantity", {"maximum": rules.max_quantity})
    if rules.accompanied_by and not booked.intersection(rules.accompanied_by):
        facts = {"accompaniedBy": [str(unit_id) for unit_id in rules.accompanied_by]}
        detail = "The unit is booked only together with one that accompanies it."
        raise Refused(Code.UNIT_RESTRICTED, detail, f"{pointer}/unitId", facts)
