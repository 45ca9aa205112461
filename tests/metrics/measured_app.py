"""A small app with metrics under gunicorn: `tests.metrics.measured_app:app`, its data below DATA_DIR."""

from __future__ import annotations

import os
import time
from pathlib import Path

from flask import Flask

from common.auth.authenticator import Authenticator, token_invalid
from common.auth.policy import Caller, anyone
from common.coordination.embedded import EmbeddedCoordination
from common.monitoring.metrics.routes import add_metrics_routes
from common.web import problems, security
from common.web.api import Api
from ticketing_service.metrics import TicketingMetrics

OPERATOR_KEY = "o" * 32
OPERATOR = {"Authorization": f"Bearer {OPERATOR_KEY}"}


class NoTokens:
    """No access token is good here."""

    def caller(self, token: str) -> Caller:
        raise token_invalid()


def make_app(folder: Path) -> Flask:
    made = Flask("measured", static_folder=None)
    metrics = TicketingMetrics(folder)
    metrics.install(made)
    security.install(made)
    problems.install(made, {})
    made.extensions["authenticator"] = Authenticator(NoTokens(), operator_keys=(OPERATOR_KEY,))
    made.extensions["metrics"] = metrics
    made.extensions["post_fork"] = lambda: metrics.attach(EmbeddedCoordination(folder / "coordination"))
    api = Api("measured")

    @api.route("GET", "/things/<number>", who=anyone())
    def thing(number: str) -> dict[str, int]:
        return {"pid": os.getpid()}

    @api.route("POST", "/things", who=anyone())
    def make() -> dict[str, int]:
        return {}

    @api.route("GET", "/slow", who=anyone())
    def slow() -> dict[str, int]:
        time.sleep(60)
        return {}

    @api.route("GET", "/broken", who=anyone())
    def broken() -> dict[str, int]:
        raise RuntimeError("broken")

    add_metrics_routes(api, metrics)
    api.register(made)
    return made


if "DATA_DIR" in os.environ:
    app = make_app(Path(os.environ["DATA_DIR"]))
