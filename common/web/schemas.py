"""The base of every schema, and the field types that JSON needs beside marshmallow's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import RAISE, Schema, fields

from common.clock import to_milliseconds
from common.web.field_errors import coded

SAFE_INTEGER = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly (RFC 8259 section 6)."""


class ApiSchema(Schema):
    """snake_case in Python, camelCase in JSON; an unknown field is refused."""

    class Meta:
        unknown = RAISE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Name the field in JSON, unless its `data_key` says otherwise."""
        if field_obj.data_key is None:
            field_obj.data_key = camel_case(field_name)


def camel_case(name: str) -> str:
    """`valid_from` -> `validFrom`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


class WholeNumber(fields.Integer):
    """A JSON number without a fraction, never a text; at most SAFE_INTEGER either way."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strict=True, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> Any:
        if isinstance(value, str):
            raise self.make_error("invalid")
        number = super()._deserialize(value, attr, data, **more)
        if abs(number) > SAFE_INTEGER:
            raise coded("OUT_OF_RANGE", "The number is too large.")
        return number


class YesNo(fields.Boolean):
    """JSON's true or false, nothing that looks like them."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Instant(fields.Field[datetime]):
    """An instant in RFC 3339: read with any offset, written in UTC with `Z` and milliseconds."""

    default_error_messages = {"invalid": "Not a valid instant: write 2026-05-01T09:30:00Z."}  # noqa: RUF012

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **more: Any) -> str | None:
        return None if value is None else instant_text(value)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None or len(value) < len("2026-05-01T09:30Z"):
                raise self.make_error("invalid")
            return to_milliseconds(moment)
        except (TypeError, ValueError, OverflowError) as error:
            raise self.make_error("invalid") from error


def instant_text(moment: datetime) -> str:
    """`2026-05-01T09:30:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
