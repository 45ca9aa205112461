"""Answers that are kept as bytes go out before Flask is asked.

Which entry of the cache a request means, and that its sender may have it, is found out by the route once:
policy, query, language, format. Until a process has to make room, it remembers that for the very same request
of a client without credentials: path, query string, language, format and host as they came. Such a request
costs no routing, no schema and no request context, but has all the rest: id, trace, log line, metrics,
headers, and its refusal under overload. Every other request takes the long way.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask

from common.caching.cache import Caches, Looked
from common.caching.entries import Place
from common.caching.front import EXTENSION
from common.caching.rendered import RENDERED, Rendered
from common.monitoring.metrics.exporter import RequestRecorder
from common.web import requests
from common.web.formats import told_apart_by
from common.web.requests import Present

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

MOST_REMEMBERED = 2_000
LONGEST_REMEMBERED = 500
"""Characters of what identifies a request; longer ones take the long way each time."""

_ASKED = "common.hits"

Key = tuple[str, ...]
Pairs = list[tuple[str, str]]
Begin = Callable[[dict[str, Any]], Present | None]
"""Notes what is known of a request; None where it may have to be refused, which the app decides."""


class Known:
    """What the route has found out about a request. `seen` is told the labels of every answer."""

    __slots__ = ("ids", "place", "rule", "seen", "sent")

    def __init__(
        self,
        place: Place,
        rule: str,
        arguments: Mapping[str, Any],
        seen: Callable[[Mapping[str, str]], None] | None,
    ) -> None:
        self.place, self.rule, self.seen = place, rule, seen
        self.ids = requests.ids_text(requests.ids_in(arguments))
        self.sent: tuple[Rendered, Pairs] | None = None


class Asked:
    """A request that goes the long way, so that it need not be gone, and looked for, a second time."""

    __slots__ = ("_hits", "_key", "looked")

    def __init__(self, hits: Hits, key: Key, looked: Looked | None) -> None:
        self._hits, self._key, self.looked = hits, key, looked

    def remember(self, known: Known) -> None:
        """The same request of whoever sends no credentials means the same from now on."""
        self._hits.remember(self._key, known)


def asked(environ: Mapping[str, Any]) -> Asked | None:
    """For the route of a request that could be remembered."""
    found: Asked | None = environ.get(_ASKED)
    return found


class Hits:
    """A WSGI app round that of `app`. `begin` and `fixed`: what every request and every answer gets;
    `recorder`: told of those that are answered here.
    """

    def __init__(
        self,
        app: Flask,
        inner: WSGIApplication,
        begin: Begin,
        fixed: Mapping[str, str],
        recorder: RequestRecorder,
    ) -> None:
        self._app, self._inner, self._begin, self._fixed = app, inner, begin, fixed
        self._recorder = recorder
        self._lock = threading.Lock()
        self._known: dict[Key, Known] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send what is kept, or ask the app."""
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_AUTHORIZATION" in environ:
            return self._inner(environ, start_response)
        get = environ.get
        key = (
            get("SCRIPT_NAME", ""),
            get("PATH_INFO", ""),
            get("QUERY_STRING", ""),
            get("HTTP_ACCEPT_LANGUAGE", ""),
            get("HTTP_HOST", ""),
            told_apart_by(get("HTTP_ACCEPT", "")),
        )
        known, looked = self._known.get(key), None
        if known is not None:
            self._recorder.request_begins()
            try:
                present = self._begin(environ)
                if present is not None:
                    caches: Caches = self._app.extensions[EXTENSION]()
                    looked = caches.look(known.place, RENDERED)
                    # What is old is sent by the long way, which has it made anew.
                    if looked.state == "fresh" and isinstance(looked.value, Rendered):
                        return self._send(known, looked.value, present, environ, start_response)
            except Exception:
                # Nothing is sent yet. The app answers whatever happens in it, in the shape that is promised.
                log.exception("a kept answer could not be sent", extra={"route": known.rule})
            finally:
                self._recorder.request_ends()
        environ[_ASKED] = Asked(self, key, looked)
        return self._inner(environ, start_response)

    def remember(self, key: Key, known: Known) -> None:
        """See Asked."""
        if sum(map(len, key)) > LONGEST_REMEMBERED:
            return
        with self._lock:
            if len(self._known) >= MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[key] = known

    def _send(
        self,
        known: Known,
        kept: Rendered,
        present: Present,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        now = time.time()
        if known.seen is not None:
            known.seen(kept.labels)
        if kept.is_asked_about(environ):
            return self._send_if_changed(known, kept, present, environ, start_response)
        headers = [*self._headers(known, kept, now), ("X-Request-Id", present.request_id)]
        self._finish(known, present, environ, 200)
        start_response("200 OK", headers)
        return (kept.body,)

    def _send_if_changed(
        self,
        known: Known,
        kept: Rendered,
        present: Present,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        response = kept.response(environ, time.time())
        for name, value in self._fixed.items():
            response.headers.setdefault(name, value)
        response.headers.add("X-Request-Id", present.request_id)
        self._finish(known, present, environ, response.status_code)
        return response(environ, start_response)

    def _finish(self, known: Known, present: Present, environ: WSGIEnvironment, status: int) -> None:
        seconds = requests.finish(environ, present, status, known.rule, known.ids)
        self._recorder.request_answered("GET", known.rule, status, seconds)

    def _headers(self, known: Known, kept: Rendered, now: float) -> Pairs:
        sent = known.sent
        if sent is not None and sent[0] is kept:
            return sent[1]
        pairs = kept.pairs(now)
        names = {name.lower() for name, _ in pairs}
        pairs += [(name, value) for name, value in self._fixed.items() if name.lower() not in names]
        pairs.append(("Content-Length", str(len(kept.body))))
        if "last-modified" in names:  # else it is there soon
            known.sent = kept, pairs
        return pairs
