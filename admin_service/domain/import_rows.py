"""Files of POIs, row by row: CSV (RFC 4180) and GeoJSON (RFC 7946), read as they come and never whole.

A row becomes the document that a request would have sent, so that one set of rules holds for both. What a
file says of itself that only we may say (status, version, owner and the like) is left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import ijson

from common.texts import LANGUAGES
from common.web.csv_text import is_formula

CSV_FORMAT, GEOJSON_FORMAT = "csv", "geojson"
FORMATS = (CSV_FORMAT, GEOJSON_FORMAT)

LONGEST_FIELD, LONGEST_ROW = 100_000, 1_000_000
"""Characters of a CSV file; more is a quotation mark that was never closed."""

_TEXTS = ("name", "summary", "description")
_PLAIN = ("externalId", "category", "timeZone", "openingHours")
_ADDRESS = ("street", "postalCode", "city", "region", "country")
_CONTACT = ("phone", "email", "website")
OURS = ("id", "status", "version", "owner", "verifiedAt", "createdAt", "updatedAt")
"""Columns of our own exports that an import leaves alone."""

COLUMNS = (
    "externalId",
    *(f"{text}_{language}" for text in _TEXTS for language in LANGUAGES),
    "category",
    "tags",
    "latitude",
    "longitude",
    "timeZone",
    *_ADDRESS,
    *_CONTACT,
    "openingHours",
    "wheelchair",
    "accessFeatures",
    *(f"accessNotes_{language}" for language in LANGUAGES),
    "priceLevel",
    "priceLowest",
    "priceHighest",
    "currency",
)
"""Of a CSV file, in any order; what is not there is not said. Images come by GeoJSON alone."""


class Unreadable(Exception):
    """The file is not what it should be, so that none of its further rows can be told apart."""


@dataclass(frozen=True, slots=True)
class Row:
    """`number` counts from 1, a CSV file's header not among them. `document` is as a request would be."""

    number: int
    document: Mapping[str, Any]


def rows_of(file_format: str, chunks: Iterable[bytes]) -> Iterator[Row]:
    """The rows of a file that comes in `chunks`. Raises Unreadable where it cannot be read on."""
    return _csv_rows(chunks) if file_format == CSV_FORMAT else _geojson_rows(chunks)


def _csv_rows(chunks: Iterable[bytes]) -> Iterator[Row]:
    lines = _Lines(io.TextIOWrapper(io.BufferedReader(_Chunks(chunks)), encoding="utf-8-sig", newline=""))
    number = 0
    try:
        reader = _reader(lines)
        header = next(reader, None)
        columns = _columns(header)
        for cells in reader:
            lines.begin_row()
            if not any(cells):
                continue
            number += 1
            if len(cells) > len(columns):
                raise Unreadable(f"Row {number} has more fields than the header.")
            yield Row(number, _document(dict(zip(columns, cells, strict=False))))
    except UnicodeDecodeError as error:
        raise Unreadable(f"After row {number}: not UTF-8.") from error
    except csv.Error as error:
        raise Unreadable(f"After row {number}: {error}.") from error


class _Lines:
    """The lines of a file, of which no row takes more than `LONGEST_ROW` characters."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file, self._spent = file, 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST_ROW)
        self._spent += len(line)
        if self._spent >= LONGEST_ROW:
            raise csv.Error(f"a row is longer than {LONGEST_ROW} characters")
        if not line:
            raise StopIteration
        return line

    def begin_row(self) -> None:
        """What was read belongs to rows that are done."""
        self._spent = 0


def _reader(lines: _Lines) -> Iterator[list[str]]:
    """Spreadsheets of many countries part fields by semicolons."""
    csv.field_size_limit(LONGEST_FIELD)
    first = next(lines, "")
    delimiter = ";" if first.count(";") > first.count(",") else ","
    return csv.reader(chain((first,), lines), delimiter=delimiter, strict=True)


def _columns(header: list[str] | None) -> list[str]:
    if not header or not any(header):
        raise Unreadable("The file is empty.")
    names = [name.strip() for name in header]
    unknown = [name for name in names if name not in COLUMNS and name not in OURS]
    if unknown:
        raise Unreadable(f"Unknown column: {unknown[0][:60]}.")
    if len(set(names)) != len(names):
        raise Unreadable("Two columns have the same name.")
    return names


def _document(cells: Mapping[str, str]) -> dict[str, Any]:
    """A column that is there replaces what the POI has, an empty one too; one that is not says nothing."""
    given = {name: _unescaped(value).strip() for name, value in cells.items() if name not in OURS}
    document: dict[str, Any] = {name: given[name] or None for name in _PLAIN if name in given}
    for text in _TEXTS:
        texts = _texts(given, text)
        if texts is not None:
            document[text] = texts
    if "tags" in given:
        document["tags"] = _list(given["tags"])
    for name, members in (("address", _ADDRESS), ("contact", _CONTACT)):
        there = {member: given[member] or None for member in members if member in given}
        if there:
            document[name] = there
    if "latitude" in given or "longitude" in given:
        coordinates = [_number(given.get(name, "")) for name in ("longitude", "latitude")]
        document["location"] = {"type": "Point", "coordinates": coordinates}
    document.update(_access_and_price(given))
    return document


def _access_and_price(given: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    notes = _texts(given, "accessNotes")
    if "wheelchair" in given or "accessFeatures" in given or notes is not None:
        yield (
            "accessibility",
            {
                "wheelchair": given.get("wheelchair") or "unknown",
                "features": _list(given.get("accessFeatures", "")),
                "notes": notes or {},
            },
        )
    if "priceLevel" in given:
        price = {
            "level": given["priceLevel"],
            "lowest": _whole(given.get("priceLowest", "")),
            "highest": _whole(given.get("priceHighest", "")),
            "currency": given.get("currency") or None,
        }
        yield "priceRange", price if given["priceLevel"] else None


def _texts(given: Mapping[str, str], text: str) -> dict[str, str] | None:
    columns = {language: f"{text}_{language}" for language in LANGUAGES}
    if not any(column in given for column in columns.values()):
        return None
    return {language: given[column] for language, column in columns.items() if given.get(column)}


def _list(cell: str) -> list[str]:
    return [item.strip() for item in cell.split(";") if item.strip()]


def _number(cell: str) -> Any:
    """A number where it is one, else the text, which the rules then refuse."""
    try:
        return float(cell.replace(",", ".")) if cell else None
    except ValueError:
        return cell


def _whole(cell: str) -> Any:
    return int(cell) if cell.isascii() and cell.isdecimal() and len(cell) < 16 else cell or None


def _unescaped(cell: str) -> str:
    """What our exports put before a text that a spreadsheet would compute."""
    return cell[1:] if cell.startswith("'") and is_formula(cell) else cell


def _geojson_rows(chunks: Iterable[bytes]) -> Iterator[Row]:
    number = 0
    try:
        for feature in ijson.items(_Chunks(chunks), "features.item", use_float=True):
            number += 1
            yield Row(number, _feature_document(feature))
    except ijson.JSONError as error:
        raise Unreadable(f"After feature {number}: not JSON.") from error
    if not number:
        raise Unreadable("Not a GeoJSON FeatureCollection, or one without features.")


def _feature_document(feature: Any) -> dict[str, Any]:
    """The properties as they are named in requests; the directory's own names for some are understood."""
    known = isinstance(feature, Mapping) and isinstance(feature.get("properties"), Mapping)
    document = dict(feature["properties"]) if known else {}
    geometry = feature.get("geometry") if isinstance(feature, Mapping) else None
    for name in OURS:
        document.pop(name, None)
    names = document.pop("names", None)
    if names is not None:
        document["name"] = names
    city = document.pop("city", None)
    if city is not None:
        document.setdefault("address", {"city": city})
    if isinstance(document.get("name"), str):
        document["name"] = {"en": document["name"]}
    document["location"] = geometry
    return document


class _Chunks(io.RawIOBase):
    """Chunks of bytes as a file that is read once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._rest = iter(chunks), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
