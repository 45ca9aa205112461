"""The monitoring routes of the breakers and the caches: what they are like, and what operators do with them.

Acts take effect first, within a second on all processes, and are then written to the log; they need neither
the database nor the issuer of tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from flask import Response
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from common.auth.policy import Caller, anyone, roles
from common.clock import system_clock
from common.monitoring.metrics.routes import OPERATORS, Audit, log_line
from common.parts import Parts
from common.resilience.states import MODES
from common.web.api import Api
from common.web.problems import problem

PartsSource = Callable[[], Parts]
_NO_STORE = "no-store"


class ModeIn(Schema):
    """What an operator sets a breaker to."""

    mode = fields.String(required=True, validate=validate.OneOf(MODES))
    reason = fields.String(required=True, validate=validate.Length(1, 200))
    until = fields.AwareDateTime(load_default=None, allow_none=True)

    @validates_schema
    def _until_is_to_come(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("until") is not None and data["until"] <= system_clock():
            raise ValidationError("This moment has passed.", "until")


class FlushIn(Schema):
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
        audit(f"circuit-breakers/{name}: {body['mode']}", caller)
        return _breaker(name, parts())

    @api.route(
        "POST", "/circuit-breakers/<name>/reset", who=roles(*OPERATORS), cache=_NO_STORE,
        problems=("BREAKER_NOT_FOUND",), summary="Close a breaker at once",
    )  # fmt: skip
    def reset(name: str, caller: Caller) -> Response:
        _known(name, parts())
        parts().breakers.reset(name)
        audit(f"circuit-breakers/{name}/reset", caller)
        return _breaker(name, parts())

    @api.route(
        "POST", "/circuit-breakers/reset-all", who=roles(*OPERATORS), cache=_NO_STORE,
        summary="Close every breaker at once",
    )  # fmt: skip
    def reset_all(caller: Caller) -> Response:
        parts().breakers.reset_all()
        audit("circuit-breakers/reset-all", caller)
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


def _breaker(name: str, parts: Parts) -> Response:
    return _json(parts.breakers.snapshot(detailed=True)["circuitBreakers"][name])


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), mimetype="application/json")
