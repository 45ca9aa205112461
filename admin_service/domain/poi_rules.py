"""What must be true of a POI's content beyond the shape of its fields."""

from __future__ import annotations

from admin_service.domain.categories import CATEGORIES, is_group
from admin_service.domain.errors import Code, Refused
from admin_service.domain.geo import Point, looks_swapped
from admin_service.domain.opening_hours import is_country, lies_in, zone_at
from admin_service.domain.poi import PoiContent, PriceRange


def check(content: PoiContent) -> None:
    """Raises UNKNOWN_CATEGORY, UNKNOWN_COUNTRY, COORDINATES_SWAPPED, INVALID_POI, each with its pointer."""
    if content.category not in CATEGORIES or is_group(content.category):
        raise Refused(Code.UNKNOWN_CATEGORY, f"There is no category {content.category[:60]}.", "/category")
    country = content.address.country
    if country is not None and not is_country(country):
        raise Refused(Code.UNKNOWN_COUNTRY, "Write a code of ISO 3166-1.", "/address/country")
    if looks_swapped(content.point, lambda point: _belongs(point, content)):
        right = content.point.swapped()
        assert right is not None  # noqa: S101 it would not look swapped
        raise Refused(
            Code.COORDINATES_SWAPPED,
            f"Longitude comes first: did you mean [{right.longitude}, {right.latitude}]?",
            "/location/coordinates",
        )
    if content.price_range is not None:
        _check_price(content.price_range)
    media = [image.media_id for image in content.images]
    if len(set(media)) != len(media):
        raise Refused(Code.INVALID_POI, "A picture is there twice.", "/images")


def _belongs(point: Point, content: PoiContent) -> bool:
    """Whether the point can be where the rest of the content says: by the clocks of its country, else of its
    time zone.
    """
    country = content.address.country
    by_country = None if country is None else lies_in(point, country)
    return zone_at(point) == content.time_zone if by_country is None else by_country


def _check_price(price: PriceRange) -> None:
    named = price.lowest is not None or price.highest is not None
    if named and price.currency is None:
        raise Refused(Code.INVALID_POI, "Amounts need a currency.", "/priceRange/currency")
    if price.lowest is not None and price.highest is not None and price.lowest > price.highest:
        raise Refused(Code.INVALID_POI, "The highest is less than the lowest.", "/priceRange/highest")
