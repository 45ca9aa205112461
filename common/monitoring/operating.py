"""The monitoring routes of the breakers and the caches: what they are like, and what operators do with them.

Acts take effect first, within a second on all processes, and are then written to the log; they need neither
the database nor the issuer of tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from flask import Response
from marshmallow import ValidationError, fields, validate, validates_schema

from common.auth.policy import Caller, anyone, roles
from common.clock import system_clock
from common.monitoring.audit import Audit, log_line
from common.monitoring.blueprint import OPERATORS
from common.parts import Parts
from common.resilience.registry import Breakers
from common.resilience.states import MODES
from common.web.api import Api
from common.web.problems import problem
from common.web.schemas import ApiSchema, Instant, instant_text

PartsSource = Callable[[], Parts]
REACHED_SECONDS = 1.0
_NO_STORE = "no-store"


class ModeIn(ApiSchema):
    """What an operator sets a breaker to."""

    mode = fields.String(required=True, validate=validate.OneOf(MODES))
    reason = fields.String(required=True, validate=validate.Length(1, 200))
    until = Instant(load_default=None, allow_none=True)

    @validates_schema
    def _until_is_to_come(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("until") is not None and data["until"] <= system_clock():
            raise ValidationError("This moment has passed.", "until")


class FlushIn(ApiSchema):
    """What of the cache is to be forgotten: one of the two, or nothing for all."""

    region = fields.String(validate=validate.Length(1, 31))
    pattern = fields.String(validate=validate.Length(1, 200))

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) == 2:
            raise ValidationError("A region or a pattern, not both.", "pattern")


def add_breaker_routes(api: Api, parts: PartsSource, audit: Audit = log_line) -> None:
    """Declare the routes of `circuit-breakers` below the prefix of `api`."""

    @api.route(
        "GET", "/circuit-breakers", who=anyone(), cache=_NO_STORE, summary="The breakers, over all processes"
    )
    def breakers(caller: Caller) -> Response:
        return _json(parts().breakers.snapshot(detailed=caller.has(*OPERATORS)))

    @api.route(
        "PUT", "/circuit-breakers/<name>", who=roles(*OPERATORS), body=ModeIn, cache=_NO_STORE,
        problems=("BREAKER_NOT_FOUND",), summary="Force a breaker open, disable it, or let it decide again",
    )  # fmt: skip
    def set_mode(name: str, body: dict[str, Any], caller: Caller) -> Response:
        _known(name, parts())
        parts().breakers.set_mode(name, body["mode"], body["reason"], body["until"])
        until = None if body["until"] is None else instant_text(body["until"])
        audit(f"circuit-breakers/{name}: {body['mode']}", caller, reason=body["reason"], until=until)
        return _json(_once(parts().breakers, (name,), lambda row: bool(row["mode"] == body["mode"]))[name])

    @api.route(
        "POST", "/circuit-breakers/<name>/reset", who=roles(*OPERATORS), cache=_NO_STORE,
        problems=("BREAKER_NOT_FOUND",), summary="Close a breaker at once",
    )  # fmt: skip
    def reset(name: str, caller: Caller) -> Response:
        _known(name, parts())
        parts().breakers.reset(name)
        audit(f"circuit-breakers/{name}/reset", caller)
        return _json(_once(parts().breakers, (name,), _is_reset)[name])

    @api.route(
        "POST", "/circuit-breakers/reset-all", who=roles(*OPERATORS), cache=_NO_STORE,
        summary="Close every breaker at once",
    )  # fmt: skip
    def reset_all(caller: Caller) -> Response:
        parts().breakers.reset_all()
        audit("circuit-breakers/reset-all", caller)
        _once(parts().breakers, tuple(parts().breakers), _is_reset)
        return _json(parts().breakers.snapshot(detailed=True))


def add_cache_routes(api: Api, parts: PartsSource, audit: Audit = log_line) -> None:
    """Declare the routes of `cache` below the prefix of `api`."""

    @api.route("GET", "/cache/stats", who=anyone(), cache=_NO_STORE, summary="The cache, over all processes")
    def stats() -> Response:
        return _json(parts().caches.stats())

    @api.route(
        "POST", "/cache/flush", who=roles(*OPERATORS), body=FlushIn, cache=_NO_STORE,
        problems=("REGION_NOT_FOUND",), summary="Forget a region, what matches a pattern, or all",
    )  # fmt: skip
    def flush(body: dict[str, Any], caller: Caller) -> Response:
        try:
            parts().caches.flush(**body)
        except KeyError:
            raise problem("REGION_NOT_FOUND") from None
        what = body.get("region") or body.get("pattern") or "everything"
        audit(f"cache/flush: {what}", caller)
        return _json({"flushed": what})


def _known(name: str, parts: Parts) -> None:
    if name not in parts.breakers:
        raise problem("BREAKER_NOT_FOUND")


def _once(
    breakers: Breakers, names: Iterable[str], is_so: Callable[[Mapping[str, Any]], bool]
) -> Mapping[str, Any]:
    """The breakers as operators see them, once all processes' rows of `names` are as wanted: an operator who
    closes a breaker is not to be shown an open one. After a second whatever they are.
    """
    give_up = time.monotonic() + REACHED_SECONDS
    while True:
        found: Mapping[str, Any] = breakers.snapshot(detailed=True)["circuitBreakers"]
        rows = (row for name in names for row in found[name]["processes"].values())
        if all(map(is_so, rows)) or time.monotonic() >= give_up:
            return found
        time.sleep(0.05)


def _is_reset(row: Mapping[str, Any]) -> bool:
    return bool(row["state"] == "CLOSED" or row["mode"] == "forced_open")


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), mimetype="application/json")
