"""prometheus-flask-exporter with the service's own names, labels by URL rule, and all slots' numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from flask import Flask, Request, current_app
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_flask_exporter import PrometheusMetrics

from common.web.requests import METHODS, OTHER_METHOD, UNMATCHED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class RequestRecorder(Protocol):
    """Who is told of the requests."""

    def request_begins(self) -> None: ...
    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None: ...
    def request_ends(self) -> None: ...


def url_rule(incoming: Request) -> str:
    """The URL rule that the request was matched to, or one constant."""
    rule = incoming.url_rule
    return UNMATCHED if rule is None else str(rule.rule)


class Unmeasured:
    """A recorder that keeps nothing, for an app without metrics."""

    def request_begins(self) -> None: ...
    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None: ...
    def request_ends(self) -> None: ...


class Measured:
    """A WSGI app, with the time of each request and what became of it."""

    def __init__(
        self, app: WSGIApplication, recorder: RequestRecorder, group_by: Callable[[Any], str]
    ) -> None:
        self._inner, self.recorder, self._group_by = app, recorder, group_by

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, incoming = "500", None  # unless it is answered

        def starting(line: str, *more: Any) -> Any:
            nonlocal status, incoming
            # The app's own request, which is taken away again before the app returns. (A client that calls
            # the app itself, as in tests, leaves one of its own here.)
            found = environ.get("werkzeug.request")
            status, incoming = line, found if isinstance(found, Request) else None
            return start_response(line, *more)

        self.recorder.request_begins()
        started = time.perf_counter()
        try:
            return self._inner(environ, starting)
        finally:
            seconds = time.perf_counter() - started
            route = UNMATCHED if incoming is None else self._route(incoming)
            if route is not None:
                self._count(route, environ["REQUEST_METHOD"], int(status[:3]), seconds)
            self.recorder.request_ends()

    def _route(self, incoming: Any) -> str | None:
        """None: the request is not to be counted."""
        seen = incoming.__dict__
        if "prom_do_not_track" in seen or "prom_exclude_all" in seen:
            return None
        return self._group_by(incoming)

    def _count(self, route: str, method: str, status: int, seconds: float) -> None:
        self.recorder.request_answered(method if method in METHODS else OTHER_METHOD, route, status, seconds)


class SlotExporter(PrometheusMetrics):  # type: ignore[misc]  # the package has no types
    """The exporter; its decorators, such as `do_not_track`, work as documented."""

    def __init__(self, recorder: RequestRecorder, prefix: str, collector: Collector) -> None:
        self._recorder = recorder
        registry = CollectorRegistry()
        registry.register(collector)
        # The route that is scraped is declared with the others of monitoring, so no `path` here.
        super().__init__(
            app=None, path=None, group_by=url_rule, defaults_prefix=prefix.rstrip("_"), registry=registry
        )

    def export_defaults(
        self,
        buckets: Sequence[float] | None = None,
        group_by: Any = url_rule,
        latency_as_histogram: bool = True,
        prefix: str = "",
        app: Flask | None = None,
        **options: Any,
    ) -> None:
        """Measure every request of `app`: as the base class does, but with our own names, round the app
        instead of in its hooks, which would cost a request four times as much.
        """
        target = app or self.app or current_app
        target.wsgi_app = Measured(target.wsgi_app, self._recorder, group_by)  # type: ignore[method-assign]

    def generate_metrics(
        self, accept_header: str | None = None, names: Sequence[str] | None = None
    ) -> tuple[str, str]:
        """Text and content type for `accept_header`. The base class would follow PROMETHEUS_MULTIPROC_DIR, in
        which files are named by process ids."""
        registry: Any = self.registry.restricted_registry(names) if names else self.registry
        encode, content_type = choose_encoder(accept_header or "")
        return encode(registry).decode(), content_type
