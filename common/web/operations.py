"""What a route declares: the one source of its behaviour, its documentation and its tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from marshmallow import Schema, missing

from common.auth.policy import Policy
from common.web.multipart import Multipart
from common.web.streamed import Streamed

Idempotent = Literal["required", "accepted"]
Suffix = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Derives, from an answer's document, the members that are sent with it but never stored."""

JSON = "application/json"
_UNCHANGING = (str, int, float, bool, type(None), Enum)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the routes of another standard differ from ours: what is a problem document elsewhere is JSON of
    `error` there, with `status` of what its status would be; the app sees to that. An address means the same
    with a slash at its end, and parameters that no route reads are let pass.
    """

    error: type[Schema]
    status: Callable[[int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one URL rule. `body` is a schema, `Multipart` for uploads, or `bytes` for a view that
    wants the body as it came, or says that it is `Streamed`."""

    method: str
    rule: str
    name: str
    who: Policy
    query: Schema | None = None
    body: Schema | Multipart | type[bytes] | Streamed | None = None
    answer: Schema | None = None
    status: int = 200
    idempotency: Idempotent | None = None
    problems: tuple[str, ...] = ()
    summary: str = ""
    description: str = ""
    tag: str = ""
    produces: tuple[str, ...] = (JSON,)
    cache: str = "private, no-store"
    languages: tuple[str, ...] = ()
    if_match: bool = False
    max_body_bytes: int = 1_000_000
    multiline: frozenset[str] = frozenset()
    answer_suffix: Suffix | None = field(default=None, repr=False)
    formats: tuple[str, ...] = ()
    body_optional: bool = False
    dialect: Dialect | None = None


def unasked(query: Schema | None) -> Mapping[str, Any] | None:
    """What an absent query loads to, where that is the same each time; None where it must be loaded anew."""
    if query is None:
        return {}
    defaults = [each.load_default for each in query.load_fields.values()]
    computed = any(each is not missing and not isinstance(each, _UNCHANGING) for each in defaults)
    required = any(each.required for each in query.load_fields.values())
    # Hooks (pre_load, validates_schema and the like) may look at the time, or at anything.
    if computed or required or any(getattr(query, "_hooks", {}).values()):
        return None
    return dict(query.load({}))
