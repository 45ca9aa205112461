"""An app whose every answer takes the same time, for gunicorn: `SLOW_SECONDS` a request."""

from __future__ import annotations

import os
import time

from flask import Blueprint, Flask

from common.monitoring import draining
from common.web import problems, security

SECONDS = float(os.environ.get("SLOW_SECONDS", "0.1"))


_under_way: list[None] = []


def work() -> str:
    """Takes its time, and tells which process took it."""
    _under_way.append(None)
    time.sleep(SECONDS)
    _under_way.pop()
    return str(os.getpid())


def ready() -> tuple[str, int]:
    """As the services say it."""
    return ("draining", 503) if draining.is_draining() else ("ready", 200)


def make_app() -> Flask:
    made = Flask(__name__, static_folder=None)
    security.install(made, refused_last=("/api/v1/gate",))
    problems.install(made, {})
    made.add_url_rule("/api/v1/work", "work", work, methods=["GET", "POST"])
    made.add_url_rule("/api/v1/gate", "gate", work)
    monitoring = Blueprint("monitoring", __name__, url_prefix="/api/v1/monitoring")
    monitoring.add_url_rule("/live", "live", lambda: "alive")
    monitoring.add_url_rule("/ready", "ready", ready)
    monitoring.add_url_rule("/under-way", "under way", lambda: str(len(_under_way)))
    made.register_blueprint(monitoring)
    return made


app = make_app()
