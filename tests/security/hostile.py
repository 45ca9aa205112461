"""What an attacker writes into a field, and every place where it can be written."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from marshmallow import Schema, fields

MARK = "@@here@@"

# JSON as it is sent: much of this no serialiser would write.
JSON_VALUES: tuple[str, ...] = (
    "null", "true", "false", "0", "-1", "1", "1.5", "1e400", "-1e400", "1e-400", "NaN", "Infinity", "-0",
    "1" + "0" * 30, "-1" + "0" * 30, "9007199254740993", "18446744073709551616", "2147483648",
    '""', '" "', '"0"', '"true"', "[]", "{}", "[null]", "[[]]", "[{}]", '{"$ne": null}', '{"$gt": ""}',
    '{"$where": "sleep(1)"}', '{"amount": {"$ne": 1}}', '"\\u0000"', '"a\\u0000b"', '"\\ud800"',
    '"\\udc00\\ud800"', '"\\u202e\\u2028"', '"\\u001b[31m"', '"a\\r\\nBcc: x@example.org"', '"\\uffff"',
    '"\U0001f4a5"', '"\u0301\u0301"', '"' + "x" * 6000 + '"', '"' + "\u00e9" * 70 + '"',
    "\"' OR '1'='1\"", '"\'; DROP TABLE users; --"', '"%"', '"_"', '"../../../../etc/passwd"',
    '"..\\\\..\\\\x"', '"{{7*7}}${7*7}"', '"<script>alert(1)</script>"', '"=HYPERLINK(1)"',
    '"0001-01-01"', '"9999-12-31"', '"2026-02-30"', '"0001-01-01T00:00:00+14:00"',
    '"9999-12-31T23:59:59-14:00"', '"2026-07-01T25:00:00Z"', '"FREQ=SECONDLY"',
    '"FREQ=DAILY;INTERVAL=99999999999999999999"', '"FREQ=YEARLY;COUNT=999999999"', '"24:00"',
    f'"{uuid.UUID(int=0)}"', '"urn:uuid:00000000-0000-0000-0000-000000000001"', '"en"', '"EUR"', '"ADULT"',
    "[" * 40 + "]" * 40, "[" + "1," * 600 + "1]", '{"en": "\\ud800"}', '{"\\ud800": "en"}', '{"": 1}',
    '{"__proto__": {"x": 1}}',
)  # fmt: skip

# As a query string has it: percent-encoded bytes.
QUERY_VALUES: tuple[str, ...] = (
    "", "%20", "0", "-1", "1.5", "1e400", "NaN", "inf", "1" + "0" * 40, "null", "true", "%00", "a%00b",
    "%ff%fe",
    "%ed%a0%80", "%f0%9f%92%a5", "%0d%0aSet-Cookie:x=1", "%25", "_", "'%20OR%20'1'='1",
    "';%20DROP%20TABLE%20users;%20--", "..%2f..%2fetc%2fpasswd", "%5B%5D", "%7B%22$ne%22:null%7D",
    "x" * 3000, "%C2%85", "%E2%80%A8", "0001-01-01", "9999-12-31", "2026-02-30",
    "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00",
    str(uuid.UUID(int=0)), "1,2,3", "nan,nan", "inf,0", "91,0", "1e308,1e308",
    "W10", "WzFd", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5LCJ4Il0", "bnVsbA", "eyJhIjoxfQ", "W251bGwsbnVsbF0",
    "WyJcdWQ4MDAiLCJ4Il0", "WyJ4IiwieCJd", "WzEsMV0", "%D9%A3",
)  # fmt: skip

SEGMENTS: tuple[str, ...] = (
    "x", "%00", "..%2f..", "%2e%2e", "%ff", "%ed%a0%80", "'", "1", "00000000000000000000000000000000",
    f"{uuid.UUID(int=0)}%00", "x" * 5000, "%F0%9F%92%A5", "$ne", "a%0d%0ab",
    "{00000000-0000-0000-0000-000000000000}",
)  # fmt: skip

HEADERS: tuple[tuple[str, str], ...] = (
    ("Authorization", "Bearer"), ("Authorization", "Bearer "), ("Authorization", "Basic eDp4"),
    ("Authorization", "Bearer \xff\xfe"), ("Authorization", "Bearer " + "a." * 1900),
    ("Authorization", "Bearer bkt_" + "A" * 70), ("Authorization", "Bearer bkt_\xe9"),
    ("Idempotency-Key", ""), ("Idempotency-Key", "x" * 15), ("Idempotency-Key", "x" * 65),
    ("Idempotency-Key", "x" * 20 + "\xff"), ("Idempotency-Key", "a b" * 8), ("If-Match", "*"),
    ("If-Match", 'W/"1"'), ("If-Match", '"' + "9" * 15 + '"'), ("If-Match", '"' + "9" * 400 + '"'),
    ("If-Match", "\xff"), ("If-Match", '"1", "2"'), ("Accept-Language", "*"),
    ("Accept-Language", "\xff" * 20),
    ("Accept-Language", "en;q=x,,;;=,nl;q=1e400"), ("Accept-Language", "a," * 3000), ("Accept", "\xff/\xfe"),
    ("Accept", "text/csv;q=NaN"), ("Content-Type", ""), ("Content-Type", "application/json; charset=\xff"),
    ("Content-Type", "application/json; charset=utf-16"),
    ("Content-Type", "application/x-www-form-urlencoded"),
    ("Content-Type", "multipart/form-data; boundary=x"), ("Content-Encoding", "gzip"),
    ("X-Signature", "t=,v1="), ("X-Signature", "t=1,v1=\xff"),
    ("X-Signature", "t=\u00b2,v1=a".encode().decode("latin-1")),
    ("X-Signature", "=,=,=" * 100), ("X-Request-Id", "\xff" * 10), ("X-Real-IP", "999.1.1.1"),
    ("X-Forwarded-For", "' OR 1"), ("Content-Length", "-5"), ("Content-Length", "x"), ("Range", "bytes=9-1"),
)  # fmt: skip


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON document, that of the whole first."""
    yield path
    if isinstance(document, dict):
        for name, child in document.items():
            yield from places(child, (*path, name))
    elif isinstance(document, list):
        for index, child in enumerate(document):
            yield from places(child, (*path, index))


def written(document: Any, path: tuple[Any, ...], value: str) -> bytes:
    """The document as JSON with `value`, which is JSON already, at `path`."""
    changed = replaced(document, path, MARK)
    return json.dumps(changed).replace(f'"{MARK}"', value).encode("utf-8", "surrogatepass")


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at `path`."""
    if not path:
        return value
    copy = deepcopy(document)
    node = copy
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return copy


def without(document: Any, path: tuple[Any, ...]) -> Any:
    """A copy in which nothing is at `path`."""
    copy = deepcopy(document)
    node = copy
    for step in path[:-1]:
        node = node[step]
    del node[path[-1]]
    return copy


def fields_of(schema: Schema, prefix: str = "") -> Iterator[str]:
    """Every member that a schema takes, such as `items/slotId`."""
    for field in schema.fields.values():
        name = f"{prefix}{field.data_key}"
        yield name
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            yield from fields_of(inner.schema, f"{name}/")


def members_of(document: Any, prefix: str = "") -> Iterator[str]:
    """Every member that a document has, in the same spelling."""
    if isinstance(document, Mapping):
        for name, child in document.items():
            yield f"{prefix}{name}"
            yield from members_of(child, f"{prefix}{name}/")
    elif isinstance(document, list):
        for child in document:
            yield from members_of(child, prefix)
