"""A POI as a row of a file that `domain.import_rows` reads back."""

from __future__ import annotations

from typing import Any

from admin_service.domain.import_rows import COLUMNS
from admin_service.domain.poi import Poi
from common.texts import LANGUAGES

EXPORT_COLUMNS = ("id", "status", "version", "owner", *COLUMNS)


def export_row(poi: Poi) -> tuple[Any, ...]:
    """The cells, in the order of `EXPORT_COLUMNS`; amounts are minor units."""
    content = poi.content
    cells: dict[str, Any] = {
        "id": str(poi.id),
        "status": poi.status.value,
        "version": poi.version,
        "owner": poi.owner,
        "externalId": content.external_id,
        "category": content.category,
        "tags": ";".join(content.tags),
        "latitude": content.point.latitude,
        "longitude": content.point.longitude,
        "timeZone": content.time_zone,
        "street": content.address.street,
        "postalCode": content.address.postal_code,
        "city": content.address.city,
        "region": content.address.region,
        "country": content.address.country,
        "phone": content.contact.phone,
        "email": content.contact.email,
        "website": content.contact.website,
        "openingHours": content.opening_hours,
        "wheelchair": content.accessibility.wheelchair.value,
        "accessFeatures": ";".join(feature.value for feature in content.accessibility.features),
    }
    if content.price_range is not None:
        price = content.price_range
        cells |= {
            "priceLevel": price.level.value,
            "priceLowest": price.lowest,
            "priceHighest": price.highest,
            "currency": price.currency,
        }
    for language in LANGUAGES:
        cells[f"name_{language}"] = content.names.get(language)
        cells[f"summary_{language}"] = content.summaries.get(language)
        cells[f"description_{language}"] = content.descriptions.get(language)
        cells[f"accessNotes_{language}"] = content.accessibility.notes.get(language)
    return tuple("" if cells.get(name) is None else cells[name] for name in EXPORT_COLUMNS)
