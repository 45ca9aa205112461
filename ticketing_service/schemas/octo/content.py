"""What `octo/content` adds for customers to read, in one language."""

from __future__ import annotations

from uuid import UUID

from common.texts import LANGUAGES, text_in
from ticketing_service.actions.resold_products import Product
from ticketing_service.domain.catalogue import AvailabilityType, Option, Poi, TicketType, Unit
from ticketing_service.domain.slots import ScheduleRule
from ticketing_service.schemas.documents import Document

AVAILABLE = ", ".join(LANGUAGES)
_MINUTES_A_DAY = 24 * 60
_OF_TYPE = {TicketType.MULTI_DAY: "multi-day", TicketType.GUIDED_TOUR: "guided-tours"}
_OF_CATEGORY = {"museum": "museums"}
_SHORT = 150
_NO_IDENTIFIERS = dict.fromkeys(
    (
        "googlePlaceId", "applePlaceId", "tripadvisorLocationId", "yelpPlaceId", "facebookPlaceId",
        "foursquarePlaceId", "baiduPlaceId", "amapPlaceId",
    )
)  # fmt: skip
_NO_ADDRESS = dict.fromkeys(
    ("streetAddress", "addressRegion", "postalCode", "addressCountry", "postOfficeBoxNumber")
)


def product_content(product: Product, language: str) -> Document:
    """The title, text, places and duration of a product."""
    ticket = product.ticket
    description = text_in(ticket.description, language)
    return {
        "title": text_in(ticket.title, language),
        "shortDescription": _shortened(description),
        "description": description,
        **_around(product, None, language),
    }


def option_content(option: Option, product: Product, language: str) -> Document:
    """The same of one option."""
    return {
        "title": text_in(option.title, language),
        "shortDescription": None,
        "description": None,
        **_around(product, option.id, language),
    }


def unit_content(unit: Unit, language: str) -> Document:
    title = text_in(unit.title, language)
    return {"title": title, "shortDescription": title, "features": []}


def availability_content(option: Option, language: str) -> Document:
    title = text_in(option.title, language)
    return {"title": title, "shortDescription": title}


def supplier_content() -> Document:
    return {"shortDescription": None, "media": []}


def _around(product: Product, option_id: UUID | None, language: str) -> Document:
    shortest, longest = _durations(product, option_id)
    ticket = product.ticket
    labels = (_OF_TYPE.get(ticket.type), _OF_CATEGORY.get(ticket.category))
    places = (product.pois.get(poi_id) for poi_id in ticket.poi_ids)
    return {
        "features": [],
        "faqs": [],
        "media": [],
        "locations": [_location(poi, language) for poi in places if poi is not None],
        "categoryLabels": [label for label in labels if label is not None],
        "durationMinutesFrom": shortest,
        "durationMinutesTo": None if longest == shortest else longest,
        "commentary": [],
    }


def _durations(product: Product, option_id: UUID | None) -> tuple[int, int]:
    """The shortest and the longest visit. Within opening hours one stays as one likes."""
    ticket = product.ticket
    rules = [rule for rule in product.schedule.rules if option_id in (None, rule.option_id)]
    if ticket.availability_type is AvailabilityType.START_TIME and ticket.valid_days == 1:
        minutes = [rule.duration_minutes for rule in rules]
        return min(minutes, default=0), max(minutes, default=0)
    hours = max((_open_minutes(rule) for rule in rules), default=0)
    return 0, max(hours, (ticket.valid_days - 1) * _MINUTES_A_DAY + hours)


def _open_minutes(rule: ScheduleRule) -> int:
    spans = (_minute(each.closes) - _minute(each.opens) for each in rule.opening_hours)
    return sum(span if span > 0 else span + _MINUTES_A_DAY for span in spans) or rule.duration_minutes


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _location(poi: Poi, language: str) -> Document:
    return {
        "title": text_in(poi.names, language),
        "shortDescription": None,
        "types": ["POINT_OF_INTEREST", "ADMISSION_INCLUDED"],
        "minutesTo": None,
        "minutesAt": None,
        "place": {
            "latitude": poi.point.latitude,
            "longitude": poi.point.longitude,
            "postalAddress": {**_NO_ADDRESS, "addressLocality": poi.city},
            "identifiers": _NO_IDENTIFIERS,
            "sameAs": [],
        },
    }


def _shortened(text: str) -> str:
    """The first line of it, cut behind a word."""
    line = text.partition("\n")[0]
    return line if len(line) <= _SHORT else line[:_SHORT].rpartition(" ")[0] + " …"
