"""The predecessor's POIs: their members, their words, and what of ours they become."""

from __future__ import annotations

from collections.abc import Mapping

from admin_service.domain.poi import PoiStatus, PriceLevel
from common.texts import LANGUAGES
from common.transfer.members import Kind, Member, Shape, Words

CATEGORY: Words = {
    "attractions": "landmark",
    "beaches": "beach",
    "restaurants": "restaurant",
    "museums": "museum",
    "activities": "sports",
    "nightlife": "bar",
    "shopping": "shop",
    "hotels": "hotel",
    "transportation": "station",
    "nature": "nature",
    "cultural": "monument",
    "sports": "sports",
    "medical": "wellness",
    "services": "tourist_information",
}
STATUS: Words = {
    "active": PoiStatus.PUBLISHED.value,
    "inactive": PoiStatus.DRAFT.value,
    "pending": PoiStatus.IN_REVIEW.value,
    "closed_temporarily": PoiStatus.CLOSED_TEMPORARILY.value,
    "closed_permanently": PoiStatus.ARCHIVED.value,
}
PRICE: Words = {
    "Free": PriceLevel.FREE.value,
    "€": PriceLevel.LOW.value,
    "€€": PriceLevel.MEDIUM.value,
    "€€€": PriceLevel.HIGH.value,
    "€€€€": PriceLevel.HIGH.value,
}
COUNTRY: Words = {
    "Belgium": "BE",
    "France": "FR",
    "Germany": "DE",
    "Netherlands": "NL",
    "Portugal": "PT",
    "Spain": "ES",
}
"""It wrote names; a code of ISO 3166-1 is one too."""

DAYS: Words = {
    "monday": "Mo",
    "tuesday": "Tu",
    "wednesday": "We",
    "thursday": "Th",
    "friday": "Fr",
    "saturday": "Sa",
    "sunday": "Su",
}
WHEELCHAIR = "wheelchair_accessible"

WORDS: Mapping[str, Words] = {
    "pois.category": CATEGORY,
    "pois.status": STATUS,
    "pois.pricing.category": PRICE,
    "pois.location.country": COUNTRY,
    "pois.hours.regular.day": DAYS,
}


def _left(path: str, why: str) -> Member:
    return Member(path=path, kind=Kind.ANY, becomes=why, left=True)


_TEXT, _NUMBER = Kind.TEXT, Kind.NUMBER
_NO_PLACE = "nothing of ours says it"
_PICTURE = "an address of a picture; pictures are uploaded to the media library"
_ANEW = "counted or computed anew"

POIS = Shape("pois", (
    Member(path="name", kind=_TEXT, required=True, becomes="name in English"),
    Member(path="category", kind=_TEXT, required=True, becomes="category; its own word is a tag"),
    Member(path="subcategory", kind=_TEXT, becomes="a tag"),
    Member(path="description", kind=_TEXT, required=True, becomes="description in English, its lines as paragraphs"),
    Member(path="shortDescription", kind=_TEXT, becomes="summary in English"),
    Member(path="location.city", kind=_TEXT, required=True, becomes="city"),
    Member(path="location.region", kind=_TEXT, default="Costa Blanca", becomes="region"),
    Member(path="location.country", kind=_TEXT, default="Spain", becomes="country"),
    Member(path="location.address", kind=_TEXT, required=True, becomes="street"),
    Member(path="location.postalCode", kind=_TEXT, becomes="postal code"),
    Member(path="location.coordinates.type", kind=_TEXT, default="Point", becomes="always Point"),
    Member(
        path="location.coordinates.coordinates", kind=Kind.LIST, required=True,
        becomes="latitude and longitude, to seven decimals",
    ),
    Member(path="contact.phone", kind=_TEXT, becomes="telephone"),
    Member(path="contact.email", kind=_TEXT, becomes="e-mail address"),
    Member(path="contact.website", kind=_TEXT, becomes="website"),
    _left("contact.socialMedia", _NO_PLACE),
    Member(path="hours.regular", kind=Kind.LIST, default=[], becomes="opening hours"),
    _left("hours.special", "single days, to be written anew"),
    Member(path="hours.timezone", kind=_TEXT, default="Europe/Madrid", becomes="time zone"),
    Member(path="pricing.category", kind=_TEXT, words=PRICE, becomes="level of the price range"),
    Member(path="pricing.range.min", kind=_NUMBER, becomes="lowest of the price range"),
    Member(path="pricing.range.max", kind=_NUMBER, becomes="highest of the price range"),
    Member(path="pricing.range.currency", kind=_TEXT, default="EUR", becomes="currency of the price range"),
    _left("pricing.details", _NO_PLACE),
    _left("rating", _NO_PLACE),
    _left("reviews", _NO_PLACE),
    Member(path="features", kind=Kind.LIST, default=[], becomes=f"tags; `{WHEELCHAIR}` the accessibility"),
    _left("aiTags", _NO_PLACE),
    _left("images", _PICTURE),
    _left("seasonality", _NO_PLACE),
    Member(path="official.dmoVerified", kind=Kind.FLAG, default=False, becomes="whether it is verified"),
    Member(path="official.touristBoard", kind=_TEXT, becomes="note of the verification"),
    Member(path="official.certification", kind=_TEXT, becomes="note of the verification"),
    Member(path="official.qualityMark", kind=_TEXT, becomes="note of the verification"),
    Member(path="official.lastVerified", kind=Kind.MOMENT, becomes="when it was verified"),
    _left("booking", "tickets are the ticketing service's"),
    _left("stats", _ANEW),
    Member(path="status", kind=_TEXT, default="active", words=STATUS, becomes="status"),
    _left("dataSource", _NO_PLACE),
    _left("quality", _ANEW),
    *(
        Member(path=f"translations.{language}.{name}", kind=_TEXT, becomes=f"{ours} in that language")
        for language in LANGUAGES if language != "en"
        for name, ours in (
            ("name", "name"), ("description", "description"), ("shortDescription", "summary"),
        )
    ),
    Member(path="createdAt", kind=Kind.MOMENT, required=True, becomes="when it was made"),
    Member(path="updatedAt", kind=Kind.MOMENT, required=True, becomes="when it last changed"),
    _left("__v", "Mongoose's own"),
))  # fmt: skip

SHAPES = (POIS,)
