"""The monitoring routes of a service: health, ready, live, info."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson
from flask import Response

from common.auth.policy import Caller, anyone
from common.clock import Clock, system_clock
from common.monitoring.checks import Result, Runner, worst
from common.web.api import Api
from common.web.schemas import instant_text

GONE_SECONDS = 10.0
OPERATORS = ("operator",)
_NO_STORE = "no-store"


class Monitoring:
    """Health of one service. `draining` says whether it was told to end. `started_at`: when its master
    started."""

    def __init__(
        self,
        *,
        service_name: str,
        version: str,
        environment: str,
        runner: Runner,
        started_at: datetime,
        draining: Callable[[], bool],
        clock: Clock = system_clock,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self._service_name, self._version, self._environment = service_name, version, environment
        self._runner, self._started_at, self._draining, self._clock = runner, started_at, draining, clock
        self._facts = dict(facts or {})

    def health(self, *, detailed: bool) -> tuple[int, dict[str, Any]]:
        """HTTP status and document of `health`; `detailed`: with addresses and error texts."""
        results = {check.name: self._runner.result(check) for check in self._runner.checks}
        status = worst(results, self._runner.checks)
        document = {
            "status": status,
            "service": self._service_name,
            "version": self._version,
            "uptime": self._uptime(),
            "timestamp": instant_text(self._clock()),
            "environment": self._environment,
            "checks": {name: _shown(result, detailed=detailed) for name, result in results.items()},
        }
        return (503 if status == "unhealthy" else 200), document

    def ready(self) -> tuple[int, dict[str, Any]]:
        """503 before the first contact with everything vital, while draining, and when it has been gone for
        10 s."""
        if self._draining():
            return 503, {"status": "draining"}
        for check in self._runner.checks:
            if check.vital:
                age = self._runner.seconds_since_good(check)
                if age is None or age > GONE_SECONDS:
                    return 503, {"status": "waiting", "for": check.name}
        return 200, {"status": "ready"}

    def info(self) -> dict[str, Any]:
        """What runs here; the same for everybody."""
        return {
            "service": self._service_name,
            "version": self._version,
            "environment": self._environment,
            "startedAt": instant_text(self._started_at),
            "uptime": self._uptime(),
            "python": platform.python_version(),
            **self._facts,
        }

    def _uptime(self) -> float:
        return round((self._clock() - self._started_at).total_seconds(), 3)


def monitoring(prefix: str, watched: Monitoring) -> Api:
    """The routes below `prefix`, such as /api/v1/monitoring. Whoever reaches the port may GET."""
    api = Api("monitoring", prefix)

    @api.route("GET", "/health", who=anyone(), cache=_NO_STORE, summary="How the service and its parts are")
    def health(caller: Caller) -> Response:
        return _answer(watched.health(detailed=caller.has(*OPERATORS)))

    @api.route("GET", "/ready", who=anyone(), cache=_NO_STORE, summary="Whether requests should be sent here")
    def ready() -> Response:
        return _answer(watched.ready())

    @api.route(
        "GET", "/live", who=anyone(), cache=_NO_STORE, summary="Whether the process answers at all; no I/O"
    )
    def live() -> Response:
        return _answer((200, {"status": "alive"}))

    @api.route("GET", "/info", who=anyone(), cache=_NO_STORE, summary="What runs here")
    def info() -> Response:
        return _answer((200, watched.info()))

    return api


def _answer(answer: tuple[int, Mapping[str, Any]]) -> Response:
    status, document = answer
    return Response(orjson.dumps(document), status, mimetype="application/json")


def _shown(result: Result, *, detailed: bool) -> dict[str, Any]:
    return {"status": result.status, **result.facts, **(result.detail if detailed else {})}
