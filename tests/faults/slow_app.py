"""An app whose every answer takes the same time, for gunicorn: `SLOW_SECONDS` a request."""

from __future__ import annotations

import os
import threading
import time

from flask import Blueprint, Flask, request

from common.web import problems, security

SECONDS = float(os.environ.get("SLOW_SECONDS", "0.1"))


def make_app() -> Flask:
    app = Flask(__name__, static_folder=None)
    security.install(app, refused_last=("/gate",))
    problems.install(app, {})
    monitoring = Blueprint("monitoring", __name__)
    done: list[str] = []
    lock = threading.Lock()

    @app.route("/work", methods=["GET", "POST"])
    @app.route("/gate")
    def work() -> str:
        time.sleep(SECONDS)
        with lock:
            done.append(request.headers.get("Idempotency-Key", ""))
        return "done"

    @monitoring.get("/monitoring/live")
    def live() -> str:
        return str(len(done))

    app.register_blueprint(monitoring)
    return app


app = make_app()
