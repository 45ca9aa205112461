"""Lists by page: an opaque cursor and a limit in the query, `data` and `nextCursor` in the answer."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from marshmallow import Schema, fields, validate

from common.web.field_errors import coded
from common.web.schemas import ApiSchema

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
MAX_CURSOR_LENGTH = 1000


def encode_cursor(position: Sequence[Any]) -> str:
    """The cursor for the place after `position`: JSON values, such as the last row's sort key and id (UUIDs
    as text)."""
    return base64.urlsafe_b64encode(orjson.dumps(list(position))).decode().rstrip("=")


def decode_cursor(text: str) -> tuple[Any, ...]:
    """What `encode_cursor` was given. Raises ValidationError INVALID when `text` is not one of ours."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        position = orjson.loads(raw)
    except (binascii.Error, ValueError) as error:
        raise coded("INVALID", "Not a cursor of this list.") from error
    if not isinstance(position, list) or not all(
        item is None or isinstance(item, str | int | float) for item in position
    ):
        raise coded("INVALID", "Not a cursor of this list.")
    return tuple(position)


class Cursor(fields.Field[tuple[Any, ...]]):
    """A cursor in a query. `shape`: the types of its parts, to which a stranger's cursor is held."""

    def __init__(self, *shape: type, **options: Any) -> None:
        super().__init__(**options)
        self._shape = shape

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> tuple[Any, ...]:
        if not isinstance(value, str) or not 0 < len(value) <= MAX_CURSOR_LENGTH:
            raise coded("INVALID", "Not a cursor of this list.")
        position = decode_cursor(value)
        if self._shape and tuple(map(type, position)) != self._shape:
            raise coded("INVALID", "Not a cursor of this list.")
        return position


def limit_field() -> fields.Integer:
    """1 to 100, 20 by default."""
    return fields.Integer(load_default=DEFAULT_LIMIT, validate=validate.Range(1, MAX_LIMIT))


class PageQuery(ApiSchema):
    """The query of a paged list, to be extended with its filters."""

    limit = limit_field()
    cursor = Cursor(load_default=None)


def page_of(item: type[Schema]) -> Schema:
    """The answer's schema for a page of `item`: dumps `{"data": [...], "next_cursor": text or None}`."""
    name = item.__name__.removesuffix("Schema") + "Page"
    members = {
        "data": fields.List(fields.Nested(item), required=True),
        "next_cursor": fields.String(allow_none=True),
    }
    schema: Schema = type(name, (ApiSchema,), members)()
    return schema
