"""Field types of a POI's content, and their limits."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from marshmallow import fields, validate

from admin_service.domain.geo import Box, Point
from admin_service.domain.markup import has_markup, sanitised
from admin_service.domain.opening_hours import normalised
from common.texts import LANGUAGES
from common.web.field_errors import coded

MAX_NAME, MAX_SUMMARY, MAX_DESCRIPTION = 200, 400, 20_000
MAX_LINE, MAX_TAG, MAX_URL = 200, 40, 500
COORDINATE_DECIMALS = 7
"""About a centimetre."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_PHONE = re.compile(r"\+?[0-9][0-9 ().\-/]{3,28}")
_HOST = re.compile(r"[a-z0-9.-]{1,253}")


class PlainText(fields.String):
    """One line without markup, `longest` characters at most; blanks around it go."""

    def __init__(self, longest: int = MAX_LINE, **options: Any) -> None:
        super().__init__(**options)
        self._longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        text = _text(super()._deserialize(value, attr, data, **more).strip(), self._longest, _CONTROL)
        if has_markup(text):
            raise coded("MARKUP", "Plain text only: no tags.")
        return text


class RichText(fields.String):
    """HTML, sanitised as it comes in; `longest` characters at most before and after."""

    def __init__(self, longest: int = MAX_DESCRIPTION, **options: Any) -> None:
        super().__init__(**options)
        self._longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        text = _text(super()._deserialize(value, attr, data, **more), self._longest, _CONTROL_BUT_LINES)
        return _text(sanitised(text), 2 * self._longest, _CONTROL_BUT_LINES)


def _text(text: str, longest: int, control: re.Pattern[str]) -> str:
    if not text:
        raise coded("TOO_SHORT", "There is no text.")
    if len(text) > longest:
        raise coded("TOO_LONG", f"At most {longest} characters.")
    if control.search(text):
        raise coded("CONTROL_CHARACTER", "The text has a control character.")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise coded("INVALID", "The text has half a character.")
    return text


class ByLanguage(fields.Dict):
    """Texts by language, at least `least`."""

    def __init__(self, text: fields.String, least: int = 0, **options: Any) -> None:
        super().__init__(
            keys=fields.String(validate=validate.OneOf(LANGUAGES)),
            values=text,
            validate=validate.Length(least, len(LANGUAGES)),
            **options,
        )


class GeoJsonPoint(fields.Field[Point]):
    """A Point of RFC 7946, `{"type": "Point", "coordinates": [longitude, latitude]}`, without height."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> Point:
        if not isinstance(value, Mapping) or value.get("type") != "Point" or value.keys() - _POINT:
            raise coded("WRONG_TYPE", "Not a GeoJSON Point.")
        coordinates = value.get("coordinates")
        if not isinstance(coordinates, list) or not 2 <= len(coordinates) <= 3:
            raise coded("WRONG_TYPE", "Coordinates are [longitude, latitude].")
        if not all(map(_is_number, coordinates)):
            raise coded("WRONG_TYPE", "Coordinates are numbers.")
        return point_of(float(coordinates[0]), float(coordinates[1]))


_POINT = {"type", "coordinates"}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def point_of(longitude: float, latitude: float) -> Point:
    """The place. Raises ValidationError, which says what is likely to have happened."""
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        raise coded("OUT_OF_RANGE", "Not a place on earth.")
    if abs(latitude) > 90 and abs(latitude) <= 180 and abs(longitude) <= 90:
        raise coded("COORDINATES_SWAPPED", "Longitude comes first, latitude second.")
    if 180 < abs(longitude) <= 360 and abs(latitude) <= 90:
        right = longitude - math.copysign(360, longitude)
        raise coded("BEYOND_ANTIMERIDIAN", f"Longitudes end at 180 degrees: write {right:.7f}.")
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise coded("OUT_OF_RANGE", "Not a place on earth.")
    return Point(round(latitude, COORDINATE_DECIMALS), round(longitude, COORDINATE_DECIMALS))


class BoundingBox(fields.Field[Box]):
    """`west,south,east,north` in degrees; west of a box over the antimeridian is greater than east."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> Box:
        try:
            west, south, east, north = map(float, value.split(","))
        except (AttributeError, ValueError) as error:
            raise coded("INVALID", "Write west,south,east,north.") from error
        if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
            raise coded("OUT_OF_RANGE", "Not a box on earth: longitudes to 180, latitudes to 90.")
        return Box(west, south, east, north)


class Near(fields.Field[Point]):
    """`latitude,longitude` in degrees (WGS 84)."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> Point:
        try:
            latitude, longitude = map(float, value.split(","))
        except (AttributeError, ValueError) as error:
            raise coded("INVALID", "Write latitude,longitude.") from error
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise coded("OUT_OF_RANGE", "Not a place on earth.")
        return Point(latitude, longitude)


class ZoneName(fields.String):
    """A zone of the IANA database."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        name: str = super()._deserialize(value, attr, data, **more)
        try:
            if len(name) > 60:
                raise coded("INVALID", "Not a zone of the IANA database.")
            return ZoneInfo(name).key
        except (ValueError, OSError, LookupError) as error:
            raise coded("INVALID", "Not a zone of the IANA database.") from error


class Hours(fields.String):
    """Opening hours in the syntax of OpenStreetMap, normalised as they come in."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **more)
        try:
            return normalised(text.strip())
        except ValueError as error:
            raise coded("INVALID", str(error)) from error


class PhoneNumber(fields.String):
    """Digits with the usual marks between them."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **more).strip()
        if _PHONE.fullmatch(text) is None:
            raise coded("INVALID", "Not a telephone number.")
        return text


class WebAddress(fields.String):
    """An http or https URL without credentials."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **more).strip()
        if not is_web_address(text):
            raise coded("INVALID", "Not an http or https address.")
        return text


def is_web_address(text: str) -> bool:
    """Whether a browser can be sent there; checked in linear time."""
    if len(text) > MAX_URL or not text.isascii() or not text.isprintable() or set(text) & set(" \"'<>\\`"):
        return False
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "@" not in parts.netloc and bool(_HOST.fullmatch(host))
