"""Idempotency keys (IETF draft-ietf-httpapi-idempotency-key-header): one effect and one answer for a repeated
request.

The web layer makes an `Idempotency`; a store verb saves `render(result)` under it in the same commit as the
effect, or raises `Replayed` or `KeyReused` when the key is taken. No Flask here, as stores import this
module.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import orjson

KEY_LENGTHS = range(16, 65)
MAX_SCOPE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it is stored; secrets that can be derived are added when it is sent, and not
    stored."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...]


class Render(Protocol):
    """Makes the answer to an action's result, which is `result` or `(result, headers)`."""

    def __call__(self, result: Any, /) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A key and what it stands for. Unique on (`scope`, `key`); `key` is a hash of the client's key.

    `foreseen`: the result that is expected, with its answer.
    """

    scope: str
    key: str
    fingerprint: bytes
    created_at: datetime
    render: Render
    foreseen: tuple[Any, Answer] | None = None

    def presenting(self, present: Callable[[Any], Any]) -> Idempotency:
        """The same key, for an action whose result must go through `present` before it fits the answer's
        schema."""
        return replace(self, render=lambda result: self.render(present(result)))

    def foreseeing(self, result: Any) -> Idempotency:
        """The same key with the answer to `result` rendered now."""
        return replace(self, foreseen=(result, self.render(result)))

    def answer(self, result: Any) -> Answer:
        """The answer to `result`, which is rendered now if it is another than the one foreseen."""
        if self.foreseen is not None and self.foreseen[0] is result:
            return self.foreseen[1]
        return self.render(result)


class Replayed(Exception):
    """The key has an answer already: it is to be sent again, byte for byte."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("the request was answered before")
        self.answer = answer


class KeyReused(Exception):
    """The key was used for another request (another fingerprint)."""


def about(result: Any) -> UUID | None:
    """The id of what the answer to `result` shows, by which the answer is found when that is erased; None
    when it shows no one thing."""
    found = getattr(result, "id", None)
    return found if isinstance(found, UUID) else None


def is_key(text: str) -> bool:
    """Whether `text` is a key: 16 to 64 visible ASCII characters."""
    return len(text) in KEY_LENGTHS and text.isascii() and text.isprintable() and " " not in text


def scope_of(principal: str, method: str, path: str) -> str:
    """Keys of one principal on one route; a scope too long for a column is cut and ends in its hash."""
    scope = f"{principal} {method} {path}"
    if len(scope) <= MAX_SCOPE_LENGTH:
        return scope
    digest = hashlib.sha256(scope.encode()).hexdigest()
    return scope[: MAX_SCOPE_LENGTH - len(digest) - 1] + "~" + digest


def hashed_key(text: str) -> str:
    """The key as it is stored: hexadecimal SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint_of(method: str, path: str, body: Any) -> bytes:
    """SHA-256 over the method, the path and the JSON body in a canonical form (members sorted, no blanks)."""
    text = b"%b %b\n%b" % (method.encode(), path.encode(), orjson.dumps(body, option=orjson.OPT_SORT_KEYS))
    return hashlib.sha256(text).digest()
