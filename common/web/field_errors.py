"""What marshmallow complains about, as a list of JSON pointers (RFC 6901) with stable codes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field at fault: `/items/0/quantity` in the body, `?limit` for a query parameter, else a header's
    name."""

    pointer: str
    code: str
    detail: str


FIELD_CODES: Mapping[str, str] = {
    "REQUIRED": "The field is missing or null",
    "UNKNOWN_FIELD": "There is no such field",
    "REPEATED": "The query parameter is there more than once",
    "WRONG_TYPE": "The value has another type",
    "TOO_LONG": "More characters or items than allowed",
    "TOO_SHORT": "Fewer characters or items than needed",
    "OUT_OF_RANGE": "The number or date is out of its range",
    "NOT_A_CHOICE": "The value is not one of those allowed",
    "CONTROL_CHARACTER": "The text has a control character",
    "MARKUP": "The text has markup where none may be",
    "COORDINATES_SWAPPED": "Latitude and longitude are the other way round",
    "BEYOND_ANTIMERIDIAN": "The longitude is past 180 degrees",
    "INVALID": "The value cannot be accepted for another reason",
}

# Marshmallow keeps no codes, only texts; a test holds this table to the texts of its fields and validators.
_BY_TEXT: tuple[tuple[str, str], ...] = (
    ("Missing data", "REQUIRED"),
    ("Field may not be null", "REQUIRED"),
    ("Unknown field", "UNKNOWN_FIELD"),
    ("Invalid input type", "WRONG_TYPE"),
    ("Invalid type", "WRONG_TYPE"),
    ("Not a valid string", "WRONG_TYPE"),
    ("Not a valid integer", "WRONG_TYPE"),
    ("Not a valid number", "WRONG_TYPE"),
    ("Not a valid boolean", "WRONG_TYPE"),
    ("Not a valid list", "WRONG_TYPE"),
    ("Not a valid mapping", "WRONG_TYPE"),
    ("Number too large", "OUT_OF_RANGE"),
    ("Must be greater", "OUT_OF_RANGE"),
    ("Must be less", "OUT_OF_RANGE"),
    ("Must be one of", "NOT_A_CHOICE"),
    ("One or more of the choices", "NOT_A_CHOICE"),
    ("Longer than", "TOO_LONG"),
    ("Shorter than", "TOO_SHORT"),
)
_CODED = re.compile(r"([A-Z][A-Z_]+): (.+)", re.DOTALL)
_LENGTH = re.compile(r"Length must be (?:between ([0-9]+) and )?([0-9]+)")


def coded(code: str, detail: str) -> ValidationError:
    """For a schema's own validators: an error with a code of `FIELD_CODES`."""
    return ValidationError(f"{code}: {detail}")


def field_errors(messages: Any, data: Any, prefix: str = "") -> list[FieldError]:
    """Flatten marshmallow's `messages` on `data`, the input that they are about, in the order of the
    fields."""
    return list(_walk(messages, data, prefix))


def query_errors(messages: Any, data: Any) -> list[FieldError]:
    """The same for a query string: the pointers are `?name`."""
    return [
        FieldError("?" + error.pointer[1:], error.code, error.detail) for error in _walk(messages, data, "")
    ]


def escaped(token: str) -> str:
    """One step of a JSON pointer (RFC 6901 section 3)."""
    return token.replace("~", "~0").replace("/", "~1")


def _walk(messages: Any, data: Any, pointer: str) -> Iterator[FieldError]:
    if isinstance(messages, Mapping):
        of_entry = not isinstance(data, Mapping | list) and messages.keys() <= {"key", "value"}
        for step, inner in messages.items():
            # Errors on the object as a whole, and on the key or value of a map's entry, have no step of their
            # own.
            if step == "_schema" or of_entry:
                yield from _walk(inner, data, pointer)
            else:
                yield from _walk(inner, _child(data, step), f"{pointer}/{escaped(str(step))}")
    elif isinstance(messages, Sequence) and not isinstance(messages, str):
        for message in messages:
            yield from _walk(message, data, pointer)
    else:
        yield _error(pointer, str(messages), data)


def _child(data: Any, step: Any) -> Any:
    if isinstance(data, Mapping):
        return data.get(step)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return data[step]
    return None


def _error(pointer: str, text: str, value: Any) -> FieldError:
    own = _CODED.fullmatch(text)
    if own is not None:
        return FieldError(pointer, own[1], own[2])
    length = _LENGTH.match(text)
    if length is not None:
        too_long = hasattr(value, "__len__") and len(value) > int(length[2])
        return FieldError(pointer, "TOO_LONG" if too_long else "TOO_SHORT", text)
    code = next((code for start, code in _BY_TEXT if text.startswith(start)), "INVALID")
    return FieldError(pointer, code, text)
