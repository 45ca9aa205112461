"""The predecessor's POIs: each becomes what a request would have sent, so that the same rules hold for it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from html import escape
from typing import Any

from admin_service.actions.poi_imports import RowRefused
from admin_service.domain.errors import Refused
from admin_service.domain.poi import Accessible, Poi, PoiContent, PoiStatus, Verification
from admin_service.domain.poi_rules import check
from admin_service.schemas.poi_imports import read_row
from admin_service.storage.predecessor.members import CATEGORY, COUNTRY, DAYS, POIS, WHEELCHAIR
from admin_service.storage.predecessor.reasons import Reason
from common.texts import LANGUAGES
from common.transfer.documents import Document
from common.transfer.members import Unfit, in_hundredths
from common.transfer.object_ids import id_of

ACTOR = "predecessor"
_TIME = re.compile(r"([01]?\d|2[0-4]):[0-5]\d")
_CODE = re.compile(r"[A-Z]{2}")
_HOURS = {"_id", "day", "open", "close", "closed", "notes"}
_TEXTS = {"name": "name", "shortDescription": "summary", "description": "description"}

Values = Mapping[str, Any]


def poi_of(document: Document) -> Poi:
    """The POI, in its first version. Raises Unfit."""
    values = POIS.read(document)
    return Poi(
        id=id_of(document["_id"]),
        content=_content(_request(values, str(document["_id"]))),
        status=PoiStatus(values["status"]),
        owner=None,
        version=1,
        created_at=values["createdAt"],
        updated_at=values["updatedAt"],
        changed_at=values["updatedAt"],
        verification=_verification(values),
    )


def _content(request: Mapping[str, Any]) -> PoiContent:
    try:
        given = {name: value for name, value in read_row(request, partial=False).items() if value is not None}
        content = PoiContent(**given)
        check(content)
    except RowRefused as refused:
        fault = refused.faults[0]
        raise Unfit(f"{Reason.RULES}: {fault.code} {fault.pointer}") from refused
    except Refused as refused:
        raise Unfit(f"{Reason.RULES}: {refused.code.name} {refused.pointer}") from refused
    return content


def _request(values: Values, identifier: str) -> dict[str, Any]:
    if values["category"] not in CATEGORY:
        raise Unfit(Reason.CATEGORY)
    features = values["features"]
    if not all(isinstance(each, str) for each in features):
        raise Unfit(Reason.FEATURES)
    tags = [values["category"], values["subcategory"], *(each for each in features if each != WHEELCHAIR)]
    wheelchair = Accessible.YES if WHEELCHAIR in features else Accessible.UNKNOWN
    return {
        **{ours: _texts(values, theirs) for theirs, ours in _TEXTS.items()},
        "category": CATEGORY[values["category"]],
        "tags": [each.replace("_", " ") for each in tags if each],
        "location": {
            "type": values["location.coordinates.type"],
            "coordinates": values["location.coordinates.coordinates"],
        },
        "timeZone": values["hours.timezone"],
        "address": {
            "street": _said(values["location.address"]),
            "postalCode": _said(values["location.postalCode"]),
            "city": values["location.city"],
            "region": _said(values["location.region"]),
            "country": _country(values["location.country"]),
        },
        "contact": {name: _said(values[f"contact.{name}"]) for name in ("phone", "email", "website")},
        "openingHours": _opening_hours(values["hours.regular"]),
        "accessibility": {"wheelchair": wheelchair.value},
        "priceRange": _price_range(values),
        "externalId": identifier,
    }


def _texts(values: Values, name: str) -> dict[str, str]:
    """By language; a description is made HTML."""
    found = {"en": values[name]}
    for language in LANGUAGES[1:]:
        found[language] = values[f"translations.{language}.{name}"]
    shown = _paragraphs if name == "description" else str.strip
    return {language: shown(text) for language, text in found.items() if _said(text)}


def _paragraphs(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"<p>{escape(line, quote=False)}</p>" for line in lines if line)


def _country(name: str) -> str:
    if name in COUNTRY:
        return COUNTRY[name]
    if not _CODE.fullmatch(name):
        raise Unfit(Reason.COUNTRY)
    return name


def _opening_hours(regular: list[Any]) -> str | None:
    """In the syntax of OpenStreetMap; several times of a day stand together."""
    days: dict[str, list[str]] = defaultdict(list)
    for each in regular:
        if not isinstance(each, dict) or each.keys() - _HOURS or each.get("day") not in DAYS:
            raise Unfit(Reason.HOURS)
        times = [each.get("open"), each.get("close")]
        if each.get("closed"):
            days[DAYS[each["day"]]].append("off")
        elif all(isinstance(time, str) and _TIME.fullmatch(time) for time in times):
            days[DAYS[each["day"]]].append(f"{times[0]:0>5}-{times[1]:0>5}")
        else:
            raise Unfit(Reason.HOURS)
    return "; ".join(f"{day} {','.join(times)}" for day, times in days.items()) or None


def _price_range(values: Values) -> dict[str, Any] | None:
    if values["pricing.category"] is None:
        return None
    amounts = [values[f"pricing.range.{name}"] for name in ("min", "max")]
    lowest, highest = (None if each is None else in_hundredths(each) for each in amounts)
    return {
        "level": values["pricing.category"],
        "lowest": lowest,
        "highest": highest,
        "currency": values["pricing.range.currency"] if amounts != [None, None] else None,
    }


def _verification(values: Values) -> Verification | None:
    if not values["official.dmoVerified"]:
        return None
    names = ("touristBoard", "certification", "qualityMark")
    notes = [text for name in names if (text := _said(values[f"official.{name}"]))]
    return Verification(
        by=ACTOR, at=values["official.lastVerified"] or values["updatedAt"], note="; ".join(notes)
    )


def _said(text: str | None) -> str | None:
    """None where nothing but blanks was written."""
    return text if text and text.strip() else None
