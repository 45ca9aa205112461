"""Field types that several requests share, and their limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from marshmallow import fields, validate

from common.texts import LANGUAGES
from common.web.field_errors import coded
from common.web.paging import MAX_CURSOR_LENGTH, MAX_LIMIT, decode_cursor
from common.web.schemas import ApiSchema

MAX_EMAIL = 254

_LOCAL_PART, _LABEL = 64, 63
_LOCAL_CHARACTERS = frozenset("!#$%&'*+/=?^_`{|}~-.")

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)


class Day(fields.Date):
    """A calendar day, far enough from the ends of the calendar to be reckoned with."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> date:
        day: date = super()._deserialize(value, attr, data, **more)
        if not FIRST_DAY <= day <= LAST_DAY:
            raise coded("OUT_OF_RANGE", f"From {FIRST_DAY} to {LAST_DAY}.")
        return day


class TextMap(fields.Dict):
    """Text by language, at least one; each with something in it and at most `longest` characters. `each`
    checks a text further."""

    def __init__(
        self,
        longest: int,
        *,
        may_be_empty: bool = False,
        each: Callable[[str], None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            keys=fields.String(validate=validate.OneOf(LANGUAGES)),
            values=fields.String(validate=[validate.Length(1, longest), *([each] if each else [])]),
            validate=validate.Length(0 if may_be_empty else 1, len(LANGUAGES)),
            **options,
        )


class EmailAddress(fields.String):
    """An address that mail can be sent to, checked in linear time: one `@`, plain characters, a host name."""

    default_error_messages = {"email": "INVALID: Not an e-mail address."}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        text = super()._deserialize(value, attr, data, **more)
        if not is_email(text.strip()):
            raise self.make_error("email")
        return text.strip()


def is_email(text: str) -> bool:
    """Whether `text` is `local@host.domain` of ASCII letters, digits and the marks that RFC 5322 allows
    unquoted.
    """
    local, at, host = text.rpartition("@")
    if not at or len(text) > MAX_EMAIL or not text.isascii() or not 0 < len(local) <= _LOCAL_PART:
        return False
    if not all(char.isalnum() or char in _LOCAL_CHARACTERS for char in local) or ".." in local:
        return False
    labels = host.split(".")
    return (
        not (local.startswith(".") or local.endswith(".")) and len(labels) > 1 and all(map(_is_label, labels))
    )


def _is_label(label: str) -> bool:
    return (
        0 < len(label) <= _LABEL
        and all(char.isalnum() or char == "-" for char in label)
        and not (label.startswith("-") or label.endswith("-"))
    )


class CursorText(fields.String):
    """A cursor of one of our lists, as text; the store holds it to its own list."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= MAX_CURSOR_LENGTH:
            raise coded("INVALID", "Not a cursor of this list.")
        decode_cursor(value)
        return value


class Paged(ApiSchema):
    """The query of a paged list, to be extended with its filters."""

    limit = fields.Integer(load_default=20, validate=validate.Range(1, MAX_LIMIT))
    cursor = CursorText(load_default=None)


class LanguageQuery(ApiSchema):
    """The query of a read whose texts come in one language."""

    lang = fields.String(metadata={"description": "One of en, es, de, nl, fr; before Accept-Language."})
