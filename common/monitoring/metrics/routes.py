"""The monitoring routes that show the metrics, and the one that resets them."""

from __future__ import annotations

import orjson
from flask import Response, request

from common.auth.policy import Caller, anyone, roles
from common.monitoring.audit import Audit, log_line
from common.monitoring.metrics.service import ServiceMetrics
from common.web.api import Api
from common.web.schemas import instant_text

OPERATORS = ("operator",)
_NO_STORE = "no-store"


def add_metrics_routes(api: Api, metrics: ServiceMetrics, audit: Audit = log_line) -> None:
    """Declare `metrics`, `metrics/prometheus` and `metrics/reset` below the prefix of `api`."""

    @api.route("GET", "/metrics", who=anyone(), cache=_NO_STORE, summary="Counts, rates and percentiles")
    def metrics_json() -> Response:
        return _json(metrics.metrics_document())

    @api.route(
        "GET", "/metrics/prometheus", who=anyone(), cache=_NO_STORE, produces="text/plain",
        summary="The metrics, as Prometheus scrapes them",
    )  # fmt: skip
    def metrics_prometheus() -> Response:
        text, content_type = metrics.prometheus_text(request.headers.get("Accept"))
        return Response(text, content_type=content_type)

    @api.route(
        "POST", "/metrics/reset", who=roles(*OPERATORS), cache=_NO_STORE,
        summary="Count from now on in the JSON form, on all processes; Prometheus' counters go on",
    )  # fmt: skip
    def metrics_reset(caller: Caller) -> Response:
        since = metrics.reset()
        audit("metrics/reset", caller)
        return _json({"since": instant_text(since)})


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), mimetype="application/json")
