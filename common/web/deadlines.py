"""A request has ten seconds: whoever it waits for is given what is left of them."""

from __future__ import annotations

from flask import Flask, request

from common.resilience import deadline

_KEY = "common.deadline"


def install(app: Flask) -> None:
    """Let every request of `app` begin and end its time."""

    def begin() -> None:
        request.environ[_KEY] = deadline.begin()

    def end(_: BaseException | None) -> None:
        token = request.environ.pop(_KEY, None)
        if token is not None:
            deadline.end(token)

    app.before_request(begin)
    app.teardown_request(end)
