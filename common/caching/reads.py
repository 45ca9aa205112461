"""Cached reads: a GET route whose answer is the same for all is rendered once, and then sent as bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from flask import Request, Response, current_app
from marshmallow import Schema, missing

from common.auth.policy import GUEST, Caller, anyone
from common.caching.cache import Caches
from common.caching.entries import ABSENT, Loaded, Place
from common.caching.front import EXTENSION
from common.caching.rendered import RENDERED, Rendered, is_storable, rendered
from common.web import hits
from common.web.answers import Renderer
from common.web.operations import Operation
from common.web.problems import Problem

Arguments = Mapping[str, Any]
"""Those of the rule, and `query` and `language`."""

_PRIVATE = "private, no-store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the view of a cached read may return instead of its bare result.

    `fresh_until`: the next instant at which the answer changes by the passing of time. `modified`: when what
    it shows was last changed. `labels`: handed to `CachedRead.seen` with every answer. `keep`: whether the
    answer's tags tell of all that it depends on, so that it may be kept.
    """

    result: Any
    fresh_until: datetime | None = None
    modified: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    keep: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """How a view says that there is no such thing: `means` knows the exception, `error` makes one."""

    means: Callable[[Exception], bool]
    error: Callable[[], Exception]


@dataclass(frozen=True, kw_only=True)
class CachedRead:
    """How a route is cached; hand it to `Api.route(cached=...)`.

    The key has the validated query in canonical form, the language and the format, never a header. What a
    query string means, its key and its tags must be the same at any time: they are remembered. Without
    `install`ed caches the route answers in the same way, from the source.

    Args:
        region: in which its answers are kept.
        tags: by which they are invalidated, from the arguments.
        key: the first part of the key, from the arguments; by default the route and the rule's arguments.
        shared_with: whose answers are all alike; the others' are private and made anew each time. Needed
            where the view takes `caller`.
        absent: lets "there is no such thing" be kept for a short while.
        seen: told the labels of every answer, for metrics.
    """

    region: str
    tags: Callable[[Arguments], Iterable[str]]
    key: Callable[[Arguments], str] | None = None
    shared_with: Callable[[Caller], bool] | None = None
    absent: Absence | None = None
    seen: Callable[[Mapping[str, str]], None] | None = None

    def check(self, operation: Operation, *, takes_caller: bool) -> None:
        """Raise TypeError where the answer could not be shared."""
        where = f"{operation.method} {operation.rule}"
        if operation.method != "GET" or operation.who != anyone():
            raise TypeError(f"{where}: only a GET route for anyone() can be cached")
        if any(map(callable, _defaults(operation.query))):
            raise TypeError(f"{where}: what a cached route is asked for must not depend on when it is asked")
        if takes_caller and self.shared_with is None:
            raise TypeError(f"{where}: a cached view that takes its caller needs shared_with=")
        if "no-store" in operation.cache or "private" in operation.cache:
            raise TypeError(f"{where}: cached, but its Cache-Control is {operation.cache!r}")

    def respond(self, request: ReadRequest, view: Callable[[], Any]) -> Response:
        """The answer, kept or made by `view`, which may raise. Who may read has been decided."""
        if self.shared_with is not None and not self.shared_with(request.caller):
            return self._private(request, view)
        caches = self._caches()
        if caches is None:
            found = self._load(request, view)
            found = found.value if isinstance(found, Loaded) else found
        else:
            found = self._read(caches, request, view)
        return self._sent(found, request)

    def _read(self, caches: Caches, request: ReadRequest, view: Callable[[], Any]) -> Any:
        asked = hits.asked(request.incoming.environ)
        key, tags = self._key(request), tuple(self.tags(request.arguments))
        found = caches.read(
            self.region,
            key,
            tags,
            lambda: self._load(request, view),
            codec=RENDERED,
            looked=None if asked is None else asked.looked,
        )
        if asked is not None and isinstance(found, Rendered) and request.caller is GUEST:
            place, rule = Place(self.region, key, tags), request.incoming.url_rule
            assert rule is not None  # noqa: S101 - a view was found
            asked.remember(hits.Known(place, rule.rule, request.own_arguments, self.seen))
        return found

    def _load(self, request: ReadRequest, view: Callable[[], Any]) -> Any:
        try:
            shown = _shown(view())
        except Exception as error:
            if self.absent is not None and self.absent.means(error):
                return ABSENT
            if isinstance(error, Problem) and error.status < 500:
                # The source has answered: no reason to give an old value, and none to keep this one.
                return Loaded(value=_Refusal(error), keep=False)
            raise
        response = request.renderer.response(shown.result)
        if not is_storable(response):
            return Loaded(value=_Unshared(response, shown.labels), keep=False)
        if shown.modified is not None:
            response.last_modified = shown.modified
        made = rendered(response, now=time.time(), vary=self._vary(request.operation), labels=shown.labels)
        return Loaded(value=made, fresh_until=shown.fresh_until, keep=shown.keep)

    def _sent(self, found: Any, request: ReadRequest) -> Response:
        if isinstance(found, Rendered):
            self._tell(found.labels)
            return found.response(request.incoming.environ, time.time())
        if isinstance(found, _Unshared):
            self._tell(found.labels)
            return found.response
        if isinstance(found, _Refusal):
            raise found.error
        assert self.absent is not None  # noqa: S101 - nothing else makes an ABSENT
        raise self.absent.error()

    def _private(self, request: ReadRequest, view: Callable[[], Any]) -> Response:
        shown = _shown(view())
        self._tell(shown.labels)
        response = request.renderer.response(shown.result)
        response.headers["Cache-Control"] = _PRIVATE
        return response

    def _tell(self, labels: Mapping[str, str]) -> None:
        if self.seen is not None:
            self.seen(labels)

    def _key(self, request: ReadRequest) -> str:
        own = request.own_arguments
        if self.key is not None:
            first = self.key(request.arguments)
        elif len(own) == 1:
            first = f"{request.operation.name}:{next(iter(own.values()))}"
        else:
            first = f"{request.operation.name}:{_canonical(own) if own else ''}"
        form = "" if request.media_type is None else f"&{request.media_type}"
        return f"{first}?{_canonical(request.query)}&{request.language or ''}{form}"

    def _vary(self, operation: Operation) -> str:
        negotiated = "Accept-Language" if len(operation.languages) > 1 else ""
        form = "Accept" if operation.formats else ""
        credentials = "Authorization" if self.shared_with is not None else ""
        return ", ".join(filter(None, (form, negotiated, credentials)))

    def _caches(self) -> Caches | None:
        source: Callable[[], Caches] | None = current_app.extensions.get(EXTENSION)
        return None if source is None else source()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """What is known of a request before its view is called."""

    incoming: Request
    operation: Operation
    caller: Caller
    own_arguments: Mapping[str, Any]
    query: Mapping[str, Any]
    language: str | None
    renderer: Renderer
    media_type: str | None = None

    @property
    def arguments(self) -> Arguments:
        return {**self.own_arguments, "query": self.query, "language": self.language}


@dataclass(frozen=True, slots=True)
class _Unshared:
    response: Response
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Refusal:
    error: Problem


def _defaults(query: Schema | None) -> Iterable[Any]:
    fields = () if query is None else query.load_fields.values()
    return (each.load_default for each in fields if each.load_default is not missing)


def _shown(result: Any) -> Shown:
    return result if isinstance(result, Shown) else Shown(result=result)


def _canonical(values: Mapping[str, Any]) -> str:
    return orjson.dumps(values, default=str, option=orjson.OPT_SORT_KEYS).decode() if values else "{}"
