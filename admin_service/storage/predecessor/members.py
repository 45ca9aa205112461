"""The predecessor's POIs: their members, their words, and what of ours they become."""

from __future__ import annotations

from collections.abc import Mapping

from admin_service.domain.poi import PoiStatus, PriceLevel
from common.texts import LANGUAGES
from common.transfer.members import Kind, Member, Shape, Words, left

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


_TEXT, _NUMBER = Kind.TEXT, Kind.NUMBER
_NO_PLACE = "nothing of ours says it"
_PICTURE = "an address of a picture; pictures are uploaded to the media library"
_ANEW = "counted or computed anew"

POIS = Shape("pois", (
    Member("name", _TEXT, "name in English", required=True),
    Member("category", _TEXT, "category; its own word is a tag", required=True),
    Member("subcategory", _TEXT, "a tag"),
    Member("description", _TEXT, "description in English, its lines as paragraphs", required=True),
    Member("shortDescription", _TEXT, "summary in English"),
    Member("location.city", _TEXT, "city", required=True),
    Member("location.region", _TEXT, "region", default="Costa Blanca"),
    Member("location.country", _TEXT, "country", default="Spain"),
    Member("location.address", _TEXT, "street", required=True),
    Member("location.postalCode", _TEXT, "postal code"),
    Member("location.coordinates.type", _TEXT, "always Point", default="Point"),
    Member("location.coordinates.coordinates", Kind.LIST, "latitude and longitude", required=True),
    Member("contact.phone", _TEXT, "telephone"),
    Member("contact.email", _TEXT, "e-mail address"),
    Member("contact.website", _TEXT, "website"),
    left("contact.socialMedia", _NO_PLACE),
    Member("hours.regular", Kind.LIST, "opening hours", default=[]),
    left("hours.special", "single days, to be written anew"),
    Member("hours.timezone", _TEXT, "time zone", default="Europe/Madrid"),
    Member("pricing.category", _TEXT, "level of the price range", words=PRICE),
    Member("pricing.range.min", _NUMBER, "lowest of the price range"),
    Member("pricing.range.max", _NUMBER, "highest of the price range"),
    Member("pricing.range.currency", _TEXT, "currency of the price range", default="EUR"),
    left("pricing.details", _NO_PLACE),
    left("rating", _NO_PLACE),
    left("reviews", _NO_PLACE),
    Member("features", Kind.LIST, f"tags; `{WHEELCHAIR}` the accessibility", default=[]),
    left("aiTags", _NO_PLACE),
    left("images", _PICTURE),
    left("seasonality", _NO_PLACE),
    Member("official.dmoVerified", Kind.FLAG, "whether it is verified", default=False),
    Member("official.touristBoard", _TEXT, "note of the verification"),
    Member("official.certification", _TEXT, "note of the verification"),
    Member("official.qualityMark", _TEXT, "note of the verification"),
    Member("official.lastVerified", Kind.MOMENT, "when it was verified"),
    left("booking", "tickets are the ticketing service's"),
    left("stats", _ANEW),
    Member("status", _TEXT, "status", default="active", words=STATUS),
    left("dataSource", _NO_PLACE),
    left("quality", _ANEW),
    *(
        Member(f"translations.{language}.{name}", _TEXT, f"{ours} in that language")
        for language in LANGUAGES if language != "en"
        for name, ours in (
            ("name", "name"), ("description", "description"), ("shortDescription", "summary"),
        )
    ),
    Member("createdAt", Kind.MOMENT, "when it was made", required=True),
    Member("updatedAt", Kind.MOMENT, "when it last changed", required=True),
    left("__v", "Mongoose's own"),
))  # fmt: skip

SHAPES = (POIS,)
