"""A POI's content as plain JSON values and back: what history keeps, proposals change and diffs compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from admin_service.domain.geo import Point
from admin_service.domain.poi import (
    AccessFeature,
    Accessibility,
    Accessible,
    Address,
    Contact,
    Image,
    PoiContent,
    PriceLevel,
    PriceRange,
)

Snapshot = Mapping[str, Any]


def snapshot_of(content: PoiContent) -> dict[str, Any]:
    """Every field under the name that it has in requests."""
    return {
        "name": dict(content.names),
        "summary": dict(content.summaries),
        "description": dict(content.descriptions),
        "category": content.category,
        "tags": list(content.tags),
        "location": geojson_point(content.point),
        "timeZone": content.time_zone,
        "address": _address(content.address),
        "contact": {
            "phone": content.contact.phone,
            "email": content.contact.email,
            "website": content.contact.website,
        },
        "openingHours": content.opening_hours,
        "accessibility": {
            "wheelchair": content.accessibility.wheelchair.value,
            "features": [feature.value for feature in content.accessibility.features],
            "notes": dict(content.accessibility.notes),
        },
        "priceRange": None if content.price_range is None else _price_range(content.price_range),
        "images": [_image(image) for image in content.images],
        "externalId": content.external_id,
    }


def content_of(snapshot: Snapshot) -> PoiContent:
    """What `snapshot_of` was given."""
    access = snapshot["accessibility"]
    price = snapshot["priceRange"]
    return PoiContent(
        names=snapshot["name"],
        summaries=snapshot["summary"],
        descriptions=snapshot["description"],
        category=snapshot["category"],
        tags=tuple(snapshot["tags"]),
        point=_read_point(snapshot["location"]),
        time_zone=snapshot["timeZone"],
        address=_read_address(snapshot["address"]),
        contact=Contact(**snapshot["contact"]),
        opening_hours=snapshot["openingHours"],
        accessibility=Accessibility(
            wheelchair=Accessible(access["wheelchair"]),
            features=tuple(map(AccessFeature, access["features"])),
            notes=access["notes"],
        ),
        price_range=None if price is None else _read_price_range(price),
        images=tuple(_read_image(image) for image in snapshot["images"]),
        external_id=snapshot["externalId"],
    )


def geojson_point(point: Point) -> dict[str, Any]:
    """RFC 7946 section 3.1.2: longitude comes first."""
    return {"type": "Point", "coordinates": [point.longitude, point.latitude]}


def changes_between(before: PoiContent, after: PoiContent) -> dict[str, Any]:
    """The fields of `after` that differ from those of `before`."""
    old = snapshot_of(before)
    return {name: value for name, value in snapshot_of(after).items() if value != old[name]}


def with_changes(content: PoiContent, changes: Snapshot) -> PoiContent:
    """The content with the fields that `changes_between` found."""
    return content_of({**snapshot_of(content), **changes})


def _read_point(data: Snapshot) -> Point:
    longitude, latitude = data["coordinates"]
    return Point(latitude, longitude)


def _address(address: Address) -> dict[str, Any]:
    return {
        "street": address.street,
        "postalCode": address.postal_code,
        "city": address.city,
        "region": address.region,
        "country": address.country,
    }


def _read_address(data: Snapshot) -> Address:
    return Address(
        street=data["street"],
        postal_code=data["postalCode"],
        city=data["city"],
        region=data["region"],
        country=data["country"],
    )


def _price_range(price: PriceRange) -> dict[str, Any]:
    return {
        "level": price.level.value,
        "lowest": price.lowest,
        "highest": price.highest,
        "currency": price.currency,
    }


def _read_price_range(data: Snapshot) -> PriceRange:
    return PriceRange(
        level=PriceLevel(data["level"]),
        lowest=data["lowest"],
        highest=data["highest"],
        currency=data["currency"],
    )


def _image(image: Image) -> dict[str, Any]:
    return {
        "mediaId": str(image.media_id),
        "alt": dict(image.alt),
        "source": image.source,
        "licence": image.licence,
    }


def _read_image(data: Snapshot) -> Image:
    return Image(
        media_id=UUID(data["mediaId"]), alt=data["alt"], source=data["source"], licence=data["licence"]
    )
