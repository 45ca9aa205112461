"""An answer as bytes: kept once, sent many times."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson
from flask import Response
from werkzeug.datastructures import Headers
from werkzeug.http import http_date, is_resource_modified

from common.caching.values import Codec, UnreadableValue

# Two changes in one second have one Last-Modified (RFC 9110 section 8.8.2.2). It is sent when that second is
# over: whoever has it then has the last of them.
SETTLED_SECONDS = 1.0
_LENGTH_BYTES = 4
# What a 304 repeats (RFC 9110 section 15.4.5).
_REPEATED = frozenset({"etag", "cache-control", "vary"})
_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")


class Rendered(NamedTuple):
    """An answer of status 200. `made_at`: seconds since 1970; `modified`: Last-Modified, where the view gave
    one. `labels`: what metrics want to know of it.
    """

    body: bytes
    headers: tuple[tuple[str, str], ...]
    etag: str
    made_at: float
    modified: str | None
    labels: Mapping[str, str]

    def response(self, environ: Mapping[str, Any], now: float) -> Response:
        """The answer to the request of `environ`, 304 where the client has it already."""
        headers = self.pairs(now)
        if self.is_asked_about(environ):
            conditions = {name: environ[name] for name in _CONDITIONS if name in environ}
            conditions["REQUEST_METHOD"] = "GET"
            modified = next((value for name, value in headers if name == "Last-Modified"), None)
            if not is_resource_modified(conditions, self.etag, last_modified=modified):
                return Response(
                    status=304, headers=[pair for pair in headers if pair[0].lower() in _REPEATED]
                )
        return Response(self.body, 200, _Ready(headers))

    def pairs(self, now: float) -> list[tuple[str, str]]:
        """The headers of the whole answer, but Content-Length."""
        headers = [*self.headers]
        if self.modified is None and now - self.made_at >= SETTLED_SECONDS:
            headers.append(("Last-Modified", http_date(int(self.made_at))))
        return headers

    def is_asked_about(self, environ: Mapping[str, Any]) -> bool:
        """Whether the client has an answer and asks if it is still good."""
        return _CONDITIONS[0] in environ or _CONDITIONS[1] in environ


class _Ready(Headers):
    """Headers that were checked when the answer was rendered: checking each again costs more than the hit."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__()
        self._list = pairs


def rendered(response: Response, *, now: float, vary: str, labels: Mapping[str, str]) -> Rendered:
    """`response` with a strong ETag made of its body, after the version that the view gave as its ETag, if it
    gave one. `vary`: the value of Vary, or nothing.
    """
    body = response.get_data()
    version = response.headers.get("ETag", "").strip('"')
    etag = f'"{version}{"-" if version else ""}{blake2b(body, digest_size=16).hexdigest()}"'
    response.headers["ETag"] = etag
    response.headers.pop("Content-Length", None)
    if vary:
        response.headers["Vary"] = vary
    modified = response.headers.get("Last-Modified")
    return Rendered(body, tuple(response.headers.items()), etag, now, modified, dict(labels))


def is_storable(response: Response) -> bool:
    """Whether the answer is the same for the next caller: whole, good, and without a cookie."""
    streams = response.is_streamed or response.direct_passthrough
    return response.status_code == 200 and not streams and "Set-Cookie" not in response.headers


class _RenderedCodec:
    shareable = True

    def dumps(self, value: Rendered) -> bytes:
        head = orjson.dumps([value.headers, value.etag, value.made_at, value.modified, value.labels])
        return len(head).to_bytes(_LENGTH_BYTES, "little") + head + value.body

    def loads(self, data: bytes) -> Rendered:
        body_at = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
        try:
            headers, etag, made_at, modified, labels = orjson.loads(data[_LENGTH_BYTES:body_at])
            pairs = tuple((str(name), str(value)) for name, value in headers)
        except (ValueError, TypeError) as error:
            raise UnreadableValue("no rendered answer") from error
        return Rendered(data[body_at:], pairs, etag, made_at, modified, labels)


RENDERED: Codec = _RenderedCodec()
