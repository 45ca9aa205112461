"""Around every request: its id and trace, the headers of its answer, its log line, a refusal when there are
too many."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask, Response, request

from common.monitoring.metrics.exporter import Measured, Unmeasured
from common.web import arrival, overload, requests
from common.web.hits import Hits
from common.web.overload import Gate, Urgency
from common.web.requests import Network, Present, client_address, client_network, request_id

__all__ = ["client_address", "client_network", "install", "request_id"]

MAX_BODY_BYTES = 1_000_000
MONITORING = "monitoring"


FIXED = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
"""Headers of every answer."""


def install(app: Flask, *, trusted_proxies: Sequence[Network] = (), refused_last: Sequence[str] = ()) -> None:
    """Set up request id, trace, client address, default headers, body limit, the JSON request log and the
    refusals under overload for `app`.

    Args:
        trusted_proxies: whose word on the client is believed, beside loopback.
        refused_last: beginnings of paths that are served while others are refused already. The blueprint
            `monitoring` is never refused.
    """
    trusted, last = tuple(trusted_proxies), tuple(refused_last)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    gate = Gate(time.perf_counter())

    def urgency() -> Urgency:
        if request.blueprint == MONITORING:
            return "never refused"
        # With nobody behind it there is no queue: the machine was slow, and a refusal would help no one.
        if arrival.alone() or (last and request.path.startswith(last)):
            return "refused last"
        return "usual"

    def begin() -> Response | None:
        # `request` costs a look-up each time it is touched, so the environment is fetched once.
        present = requests.begin(request.environ, trusted)
        if present.waited is None or gate.admits(present.waited, present.started, urgency):
            return None
        return overload.refusal(gate.pause(present.started))

    def begin_hit(environ: dict[str, Any]) -> Present | None:
        present = requests.begin(environ, trusted)
        if present.waited is None or gate.admits(present.waited, present.started, _usual):
            return present
        return None

    inner = app.wsgi_app
    recorder = inner.recorder if isinstance(inner, Measured) else Unmeasured()
    app.wsgi_app = Hits(app, inner, begin_hit, FIXED, recorder)  # type: ignore[method-assign]
    app.before_request(begin)
    app.after_request(_end)
    # Flask's way to run coroutines: it looks at every function at every call, and here none is one.
    app.ensure_sync = _as_it_is  # type: ignore[assignment,method-assign]


def _end(response: Response) -> Response:
    # The proxy costs a look-up each time it is touched; this is the documented way round it.
    present = requests.end(request._get_current_object(), response)  # type: ignore[attr-defined]  # noqa: SLF001
    headers = response.headers
    # Nobody else sets these two, and looking for a header costs more than adding it.
    headers.add("X-Request-Id", present.request_id)
    headers.add("X-Content-Type-Options", FIXED["X-Content-Type-Options"])
    headers.setdefault("Cache-Control", "private, no-store")
    headers.setdefault("Referrer-Policy", FIXED["Referrer-Policy"])
    return response


def _usual() -> Urgency:
    return "usual"


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
