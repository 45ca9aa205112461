"""The POI directory as a GeoJSON file (RFC 7946)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from common.texts import LANGUAGES
from ticketing_service.clients.port import DirectoryUnavailable, PoiFault, PoiList
from ticketing_service.domain.catalogue import Poi, Point
from ticketing_service.domain.local_time import is_time_zone

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_NAME_LENGTH = 200
MAX_WORD_LENGTH = 100


class GeoJsonPoiDirectory:
    """`PoiDirectory` from a FeatureCollection of Points.

    Properties of a feature: `id` (a UUID; or the feature's own `id`), `names` by language or one `name`,
    `city`, `category`, `timeZone` (IANA), and `version` (a whole number) or `updatedAt` (RFC 3339).
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._signature: tuple[int, ...] | None = None
        self._last = PoiList(())

    def read(self) -> PoiList:
        """All features; the same object until the file changes. Raises DirectoryUnavailable."""
        with self._lock:
            try:
                status = self._path.stat()
                signature = (status.st_mtime_ns, status.st_size, status.st_ino)
                if signature != self._signature:
                    self._last = _pois_of(_content(self._path, status))
                    self._signature = signature
            except OSError as error:
                raise DirectoryUnavailable(f"{self._path}: {error.strerror or error}") from error
            return self._last


def _content(path: Path, status: os.stat_result) -> bytes:
    if status.st_size > MAX_FILE_BYTES:
        raise DirectoryUnavailable(f"{path} is larger than {MAX_FILE_BYTES} bytes")
    return path.read_bytes()


def _pois_of(content: bytes) -> PoiList:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise DirectoryUnavailable(f"not JSON: {error}") from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise DirectoryUnavailable("not a GeoJSON FeatureCollection")
    return read_features(features)


def read_features(features: Iterable[Any]) -> PoiList:
    """The POIs of features, and which of them are none that can be used."""
    pois: dict[UUID, Poi] = {}
    faults: list[PoiFault] = []
    for index, feature in enumerate(features):
        try:
            poi = _poi(feature)
            if poi.id in pois:
                raise ValueError("id: another feature has it too")
            pois[poi.id] = poi
        except ValueError as error:
            faults.append(PoiFault(index, str(error)))
    return PoiList(tuple(pois.values()), tuple(faults))


def _poi(feature: Any) -> Poi:
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        raise ValueError("not a Feature with properties")
    properties: dict[str, Any] = feature["properties"]
    return Poi(
        id=_uuid(properties.get("id", feature.get("id"))),
        names=_names(properties),
        city=_word(properties, "city"),
        category=_word(properties, "category"),
        point=_point(feature.get("geometry")),
        time_zone=_time_zone(properties),
        version=_version(properties),
    )


def _uuid(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError("id: not a UUID") from error


def _names(properties: Mapping[str, Any]) -> dict[str, str]:
    names = properties.get("names", properties.get("name"))
    if isinstance(names, str):
        names = {"en": names}
    if not isinstance(names, dict):
        raise ValueError("names: missing")
    known = {language: names[language] for language in LANGUAGES if names.get(language)}
    if not known or not all(_is_line(name, MAX_NAME_LENGTH) for name in known.values()):
        raise ValueError(f"names: none in {', '.join(LANGUAGES)}, or not a line of text")
    return known


def _word(properties: Mapping[str, Any], name: str) -> str:
    value = properties.get(name)
    if not _is_line(value, MAX_WORD_LENGTH):
        raise ValueError(f"{name}: not a line of text")
    return str(value)


def _is_line(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= len(value) <= longest and value.isprintable()


def _point(geometry: Any) -> Point:
    is_point = isinstance(geometry, dict) and geometry.get("type") == "Point"
    coordinates = geometry.get("coordinates") if is_point else None
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        raise ValueError("geometry: not a Point")
    longitude, latitude = coordinates[:2]
    for value, limit in ((longitude, 180), (latitude, 90)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise ValueError("geometry: not two numbers")
        if abs(value) > limit:
            raise ValueError("geometry: not a place on earth (longitude comes first)")
    return Point(latitude=float(latitude), longitude=float(longitude))


def _time_zone(properties: Mapping[str, Any]) -> str:
    value = properties.get("timeZone")
    if not isinstance(value, str) or len(value) > MAX_WORD_LENGTH or not is_time_zone(value):
        raise ValueError("timeZone: not a zone of the IANA database")
    return value


def _version(properties: Mapping[str, Any]) -> int:
    version = properties.get("version")
    if version is not None:
        if isinstance(version, bool) or not isinstance(version, int) or not 0 <= version < 2**63:
            raise ValueError("version: not a whole number")
        return version
    try:
        moment = datetime.fromisoformat(str(properties.get("updatedAt")))
    except ValueError as error:
        raise ValueError("version or updatedAt: missing, or not a time") from error
    if moment.tzinfo is None:
        raise ValueError("updatedAt: without a zone")
    return int(moment.timestamp() * 1000)
