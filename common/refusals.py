"""How the business of a service says no: a refusal has a code that clients may rely on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Kind(Enum):
    """How a refusal is to be understood; the web layer gives each kind its status."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    GONE = "gone"
    STALE = "stale"
    INVALID = "invalid"
    LOCKED = "locked"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


class RefusalCode(Enum):
    """The base of a service's codes, `CODE = (kind, title)`: the name is a promise, the title for people."""

    kind: Kind
    title: str

    def __init__(self, kind: Kind, title: str) -> None:
        self.kind, self.title = kind, title


@dataclass(slots=True, eq=False)
class Refused(Exception):
    """The business says no.

    `pointer` names the field of the request that is at fault (RFC 6901); `facts` go into the problem
    document. `retry_after_seconds`: when it is worth asking again, where that is known better than by `code`.
    """

    code: RefusalCode
    detail: str = ""
    pointer: str | None = None
    facts: Mapping[str, Any] | None = None
    retry_after_seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.code.name}: {self.detail or self.code.title}"
