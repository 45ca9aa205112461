"""Reading a request: size, type, JSON, control characters and query string, before any schema sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from flask import Request
from marshmallow import Schema, ValidationError

from common.web.field_errors import FieldError, escaped, query_errors
from common.web.idempotency import is_key
from common.web.operations import JSON, Idempotent
from common.web.problems import invalid, problem

MAX_DEPTH = 32
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
# Without one of these bytes a JSON text holds no control character: escapes need a backslash, DEL is 0x7f, C1
# begins with 0xc2 and the line separators with 0xe2 0x80 in UTF-8.
_SUSPECT = re.compile(rb"[\\\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]")


def read_bytes(request: Request, limit: int) -> bytes:
    """The body as it came. Raises Problem 413 over `limit` bytes."""
    length = request.environ.get("CONTENT_LENGTH", "")
    if length.isdecimal() and int(length) > limit:
        raise problem("CONTENT_TOO_LARGE", f"At most {limit} bytes are read here.")
    request.max_content_length = limit  # for a body that does not say how long it is
    return request.get_data(cache=False)


def read_json(request: Request, limit: int, multiline: frozenset[str]) -> Any:
    """The JSON body. Raises Problem 413, 415, 400 MALFORMED_JSON, or 422 for control characters in a text.

    Line breaks and tabs are accepted below the members named in `multiline` only.
    """
    if request.environ.get("CONTENT_TYPE") != JSON and request.mimetype != JSON:
        raise problem(
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the body as application/json.",
            headers={"Accept": JSON},
        )
    raw = read_bytes(request, limit)
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise problem("MALFORMED_JSON", str(error)) from error
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _too_deep(document):
        raise problem("MALFORMED_JSON", f"The body is nested more than {MAX_DEPTH} levels deep.")
    if _SUSPECT.search(raw) is not None:
        errors = list(_control_characters(document, "", multiline, lines=False))
        if errors:
            raise invalid(errors)
    return document


def read_query(request: Request, schema: Schema | None) -> dict[str, Any]:
    """The query parameters, loaded through `schema`. Raises Problem 422 for unknown, repeated or wrong
    ones."""
    if not request.environ.get("QUERY_STRING"):
        return load_query(schema, {}) if schema is not None else {}
    arguments = request.args
    values = dict(arguments.items())  # the first of each; `dict(arguments)` would keep lists
    errors = [
        FieldError(f"?{name}", "REPEATED", "The parameter may be there once.")
        for name, all_values in arguments.lists()
        if len(all_values) > 1
    ]
    errors += [
        FieldError(f"?{name}", "CONTROL_CHARACTER", "The value has a control character.")
        for name, value in values.items()
        if _CONTROL.search(value) or "\ufffd" in value
    ]
    if schema is None:
        errors += [FieldError(f"?{name}", "UNKNOWN_FIELD", "Unknown field.") for name in values]
    if errors:
        raise invalid(errors)
    return load_query(schema, values) if schema is not None else {}


def read_key(request: Request, wanted: Idempotent | None) -> str | None:
    """The client's idempotency key. Raises Problem 400 for none where one is needed, and for one that is
    none.
    """
    text: str | None = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if text is None:
        if wanted == "required":
            raise problem(
                "IDEMPOTENCY_KEY_REQUIRED", "Send 16 to 64 visible ASCII characters, such as a UUID."
            )
        return None
    if not is_key(text):
        raise problem("IDEMPOTENCY_KEY_MALFORMED")
    return text


def load_query(schema: Schema, values: Mapping[str, str]) -> dict[str, Any]:
    """`values` through `schema`; its complaints point to `?name`."""
    try:
        loaded: dict[str, Any] = schema.load(values)
    except ValidationError as error:
        raise invalid(query_errors(error.messages, error.data)) from error
    return loaded


def _too_deep(document: Any) -> bool:
    level = [document]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True


def _control_characters(
    node: Any, pointer: str, multiline: frozenset[str], *, lines: bool
) -> Iterator[FieldError]:
    if isinstance(node, str):
        if (_CONTROL_BUT_LINES if lines else _CONTROL).search(node):
            yield FieldError(pointer, "CONTROL_CHARACTER", "The text has a control character.")
    elif isinstance(node, dict):
        for name, child in node.items():
            step = f"{pointer}/{escaped(_CONTROL.sub('?', name))}"
            if _CONTROL.search(name):
                yield FieldError(step, "CONTROL_CHARACTER", "The name has a control character.")
            yield from _control_characters(child, step, multiline, lines=lines or name in multiline)
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _control_characters(child, f"{pointer}/{index}", multiline, lines=lines)
