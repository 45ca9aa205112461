"""Prices as OCTO has them: what the customer pays, and what of it the reseller owes us."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from ticketing_service.documents.wording import MINOR_DIGITS
from ticketing_service.domain.bookings import Booking, UnitItem
from ticketing_service.domain.catalogue import Option, Tax, Ticket
from ticketing_service.domain.money import scaled, spread, tax_contained
from ticketing_service.domain.resellers import Reseller
from ticketing_service.domain.slots import Slot
from ticketing_service.schemas.documents import Document

PER_UNIT, PER_BOOKING = "UNIT", "BOOKING"
_USUAL_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Line:
    """All of one unit, in minor units; the taxes are worked out of each line."""

    original: int
    retail: int
    net: int


@dataclass(frozen=True, slots=True)
class Pricer:
    """Prices of one ticket for one reseller. `slot`: as that one has them, else before any multiplier."""

    ticket: Ticket
    reseller: Reseller
    slot: Slot | None = None

    def unit(self, price: int) -> Line:
        """One unit, or one booking, that costs others `price`."""
        if self.slot is not None:
            price = scaled(price, self.slot.multiplier)
        retail = self.reseller.retail(price)
        return Line(retail, retail, self.reseller.net(retail))

    def document(self, *lines: Line) -> Document:
        return price_document(self.ticket.currency, self.ticket.taxes, lines)

    def units(self, option: Option) -> list[Document]:
        """Of each unit of the option."""
        return [{"unitId": unit.id, **self.document(self.unit(unit.price))} for unit in option.units]

    def order(self, option: Option, quantities: Mapping[UUID, int]) -> Document:
        """All of an order: nothing of no units, unless the price is one of the booking."""
        if option.price is not None:
            return self._whole(option, quantities)
        prices = {unit.id: self.unit(unit.price) for unit in option.units}
        return self.document(*(_times(prices[unit_id], count) for unit_id, count in quantities.items()))

    def _whole(self, option: Option, quantities: Mapping[UUID, int]) -> Document:
        """As the sale shares it among the unit items, of whose nets the sum is owed."""
        whole = self.unit(option.price or 0)
        wanted = [unit_id for unit_id, count in quantities.items() for _ in range(count)]
        if not wanted:
            return self.document(whole)
        lines: dict[UUID, Line] = {}
        for unit_id, price in zip(wanted, spread(whole.retail, [1] * len(wanted), wanted), strict=True):
            line = lines.get(unit_id, Line(0, 0, 0))
            lines[unit_id] = Line(
                line.original + price, line.retail + price, line.net + self.reseller.net(price)
            )
        return self.document(*lines.values())


def pricing_per(ticket: Ticket) -> str:
    """Whether a price is one of each unit, or of the booking."""
    return PER_BOOKING if any(option.price is not None for option in ticket.options) else PER_UNIT


def unit_item_pricing(unit: UnitItem, booking: Booking, taxes: Sequence[Tax]) -> Document:
    """Of a unit item that was sold."""
    return price_document(booking.price.currency, taxes, [_sold([unit])])


def booking_pricing(booking: Booking) -> Document:
    """Of a booking: its total is what was agreed when it was made, with the taxes that were worked out."""
    lines: dict[UUID, list[UnitItem]] = {}
    for unit in booking.unit_items:
        lines.setdefault(unit.unit_id, []).append(unit)
    taxes = booking.items[0].terms.taxes
    return price_document(booking.price.currency, taxes, [_sold(units) for units in lines.values()])


def price_document(currency: str, taxes: Iterable[Tax], lines: Sequence[Line]) -> Document:
    """As OCTO's Pricing."""
    return {
        "original": sum(line.original for line in lines),
        "retail": sum(line.retail for line in lines),
        "net": sum(line.net for line in lines),
        "currency": currency,
        "currencyPrecision": MINOR_DIGITS.get(currency, _USUAL_DIGITS),
        "includedTaxes": [
            {
                "name": tax.name,
                "original": sum(tax_contained(line.original, tax.rate_basis_points) for line in lines),
                "retail": sum(tax_contained(line.retail, tax.rate_basis_points) for line in lines),
                "net": sum(tax_contained(line.net, tax.rate_basis_points) for line in lines),
            }
            for tax in taxes
        ],
    }


def cheapest(documents: Iterable[Document]) -> Document:
    """The one with the lowest retail price."""
    return min(documents, key=lambda document: int(document["retail"]))


def _sold(units: Iterable[UnitItem]) -> Line:
    listed = list(units)
    return Line(
        sum(unit.price for unit in listed),
        sum(unit.paid for unit in listed),
        sum(unit.due for unit in listed),
    )


def _times(line: Line, count: int) -> Line:
    return Line(line.original * count, line.retail * count, line.net * count)
