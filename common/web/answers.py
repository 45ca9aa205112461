"""From a view's result to the bytes that are sent, the same for a first answer and for its replay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response

from common.web.idempotency import Answer
from common.web.operations import JSON, Operation

_OPTIONS = orjson.OPT_UTC_Z


class Renderer:
    """Makes the answer of one request. `render` may be called in another thread: it touches no request
    context."""

    __slots__ = ("_language", "_operation", "_stored")

    def __init__(self, operation: Operation, language: str | None) -> None:
        self._operation, self._language = operation, language
        self._stored: Answer | None = None

    def render(self, result: Any, /) -> Answer:
        """The answer to `result` or `(result, headers)`, to be stored; the last one rendered is the one
        sent."""
        self._stored = self._answer(result)
        return self._stored

    def response(self, result: Any) -> Response:
        """The answer to send: the one that was stored, else one made of what the view returned."""
        if self._stored is not None:
            return send(self._stored, self._operation)
        if isinstance(result, Response):
            result.headers.setdefault("Cache-Control", self._operation.cache)
            if self._language is not None:
                result.headers.setdefault("Content-Language", self._language)
            return result
        return send(self._answer(result), self._operation)

    def _answer(self, result: Any) -> Answer:
        headers: list[tuple[str, str]] = []
        if isinstance(result, tuple):
            result, extra = result
            headers += extra.items() if isinstance(extra, Mapping) else extra
        if self._language is not None:
            headers.append(("Content-Language", self._language))
        if self._operation.status == 204:
            return Answer(204, b"", tuple(headers))
        if isinstance(result, bytes):
            return Answer(self._operation.status, result, tuple(headers))
        document = result if self._operation.answer is None else self._operation.answer.dump(result)
        return Answer(self._operation.status, orjson.dumps(document, option=_OPTIONS), tuple(headers))


def send(answer: Answer, operation: Operation, *, replayed: bool = False) -> Response:
    """The stored answer with its derived members, as a response."""
    body = answer.body
    if operation.answer_suffix is not None:
        body = _with_members(body, operation.answer_suffix(orjson.loads(body)))
    headers = list(answer.headers)
    if not any(name.lower() == "cache-control" for name, _ in headers):
        headers.append(("Cache-Control", operation.cache))
    if replayed:
        headers.append(("Idempotency-Replayed", "true"))
    return Response(body, answer.status, headers, content_type=JSON if body else None)


def _with_members(body: bytes, members: Mapping[str, Any]) -> bytes:
    """Add `members` at the end of the JSON object in `body`, leaving its other bytes as they are."""
    if not members:
        return body
    tail = orjson.dumps(members, option=_OPTIONS)[1:]
    return body[:-1] + (b"" if body == b"{}" else b",") + tail
