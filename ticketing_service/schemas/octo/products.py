"""Tickets as OCTO's products, with their options and units."""

from __future__ import annotations

from dataclasses import dataclass

from common.texts import text_in
from ticketing_service.actions.resold_products import Product
from ticketing_service.domain.catalogue import AvailabilityType, Option, Restrictions, Ticket, Unit
from ticketing_service.domain.resellers import Reseller
from ticketing_service.domain.slots import Schedule
from ticketing_service.schemas.documents import Document
from ticketing_service.schemas.octo.capabilities import Capability
from ticketing_service.schemas.octo.content import option_content, product_content, unit_content
from ticketing_service.schemas.octo.pricing import Pricer, pricing_per

LOCALE = "en"
"""In which products go by their internal names."""

DELIVERY_METHODS = ("TICKET", "VOUCHER")
DELIVERY_FORMATS = ("QRCODE", "PDF_URL")
REDEMPTION_METHOD = "DIGITAL"
CONTACT_FIELDS = ("firstName", "lastName", "emailAddress")
"""Of the customer; of the guests of single units none. A full name will do for the first two."""

YOUNGEST, OLDEST = 0, 99
_MIDNIGHT = "00:00"


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom, in what language, and with which capabilities an answer is made."""

    reseller: Reseller
    language: str
    used: frozenset[Capability]

    @property
    def pricing(self) -> bool:
        return Capability.PRICING in self.used

    @property
    def content(self) -> bool:
        return Capability.CONTENT in self.used


def product_document(product: Product, asked: Asked) -> Document:
    """As OCTO's Product."""
    ticket = product.ticket
    document: Document = {
        "id": ticket.id,
        "internalName": text_in(ticket.title, LOCALE),
        "reference": None,
        "locale": LOCALE,
        "timeZone": ticket.time_zone,
        "allowFreesale": False,
        "instantConfirmation": True,
        "instantDelivery": True,
        "availabilityRequired": True,
        "availabilityType": ticket.availability_type,
        "deliveryFormats": DELIVERY_FORMATS,
        "deliveryMethods": DELIVERY_METHODS,
        "redemptionMethod": REDEMPTION_METHOD,
        "options": [_option(option, product, asked) for option in ticket.options],
    }
    if asked.pricing:
        document["defaultCurrency"] = ticket.currency
        document["availableCurrencies"] = [ticket.currency]
        document["pricingPer"] = pricing_per(ticket)
    if asked.content:
        document.update(product_content(product, asked.language))
    return document


def start_times(ticket: Ticket, option: Option, schedule: Schedule) -> list[str]:
    """The local times at which the option may start: those of its rules; a day begins at midnight."""
    if ticket.availability_type is AvailabilityType.OPENING_HOURS:
        return [_MIDNIGHT]
    rules = (rule for rule in schedule.rules if rule.option_id == option.id)
    # OCTO wants at least one, also of what has no schedule yet
    return sorted({text for rule in rules for text in rule.start_times}) or [_MIDNIGHT]


def _option(option: Option, product: Product, asked: Asked) -> Document:
    ticket = product.ticket
    amount = cutoff_hours(ticket)
    document: Document = {
        "id": option.id,
        "default": option.default,
        "internalName": text_in(option.title, LOCALE),
        "reference": None,
        "availabilityLocalStartTimes": start_times(ticket, option, product.schedule),
        "cancellationCutoff": _cutoff_text(amount),
        "cancellationCutoffAmount": amount or 0,
        "cancellationCutoffUnit": "hour",
        "requiredContactFields": CONTACT_FIELDS,
        "restrictions": {"minUnits": option.min_units, "maxUnits": option.max_units},
        "units": [_unit(unit, ticket, asked) for unit in option.units],
    }
    if asked.pricing:
        document.update(_prices(ticket, option.price, asked))
    if asked.content:
        document.update(option_content(option, product, asked.language))
    return document


def _unit(unit: Unit, ticket: Ticket, asked: Asked) -> Document:
    document: Document = {
        "id": unit.id,
        "internalName": text_in(unit.title, LOCALE),
        "reference": None,
        "type": unit.type,
        "restrictions": _restrictions(unit.restrictions, unit.pax_count),
        "requiredContactFields": [],
    }
    if asked.pricing:
        document.update(_prices(ticket, unit.price, asked))
    if asked.content:
        document.update(unit_content(unit, asked.language))
    return document


def _prices(ticket: Ticket, price: int | None, asked: Asked) -> Document:
    """In each of its currencies, of which a ticket has one; nothing where the price is not one of it."""
    pricer = Pricer(ticket, asked.reseller)
    prices = [] if price is None else [pricer.document(pricer.unit(price))]
    return {"pricingFrom": prices, "pricing": prices}


def _restrictions(rules: Restrictions, pax_count: int) -> Document:
    return {
        "minAge": YOUNGEST if rules.min_age is None else rules.min_age,
        "maxAge": OLDEST if rules.max_age is None else rules.max_age,
        "idRequired": False,
        "minQuantity": rules.min_quantity,
        "maxQuantity": rules.max_quantity,
        "paxCount": pax_count,
        "accompaniedBy": rules.accompanied_by,
    }


def cutoff_hours(ticket: Ticket) -> int | None:
    """The shortest notice at which a booking can be cancelled; None when it cannot be."""
    return min((step.hours_before for step in ticket.refund_policy), default=None)


def _cutoff_text(hours: int | None) -> str:
    if hours is None:
        return "No cancellation"
    return f"Cancellation until {hours} hours before"
