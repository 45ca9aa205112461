"""How a route is declared: who may call, what comes in, what goes out, what else can happen; then one
view."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal

from flask import Blueprint, Flask, Request, Response, current_app, request
from marshmallow import Schema

from common.auth.authenticator import Authenticator
from common.auth.policy import GUEST, Caller, Policy
from common.caching.reads import CachedRead, ReadRequest
from common.clock import Clock, system_clock
from common.web import idempotency as keys
from common.web.answers import Renderer, send
from common.web.formats import chosen_format
from common.web.language import chosen_language
from common.web.multipart import Multipart, read_multipart
from common.web.operations import JSON, Dialect, Idempotent, Operation, Suffix, unasked
from common.web.reading import read_bytes, read_json, read_query
from common.web.request_keys import idempotency_of, key_of
from common.web.requests import note_user
from common.web.streamed import Streamed, read_streamed

View = Callable[..., Any]
Declared = type[Schema] | Schema | None

_INPUTS = ("query", "body", "caller", "idempotency", "language", "media_type")
_EXTENSION = "common.web.operations"


class Api:
    """A blueprint whose every route says who may call it. Make one a resource, then `api.register(app)`.

    A view takes what it names among `query` (dict), `body` (what its schema loads, Uploads, or bytes),
    `caller` (Caller), `idempotency` (Idempotency or None), `language` (str), `media_type` (str), and the
    arguments of its rule. It returns what the answer's schema dumps, `(that, headers)`, or a ready
    flask.Response. When the store has rendered an answer for the idempotency key, that answer is sent,
    whatever the view returns.
    """

    def __init__(
        self,
        name: str,
        url_prefix: str = "",
        *,
        tag: str | None = None,
        clock: Clock = system_clock,
        dialect: Dialect | None = None,
    ) -> None:
        self.blueprint = Blueprint(name, __name__, url_prefix=url_prefix or None)
        self.operations: list[Operation] = []
        self._name, self._prefix, self._clock = name, url_prefix, clock
        self._dialect = dialect
        # the heading under which the routes are documented
        self._tag = tag or name

    def route(
        self,
        method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"],
        rule: str,
        *,
        who: Policy,
        query: Declared = None,
        body: Declared | Multipart | type[bytes] | Streamed = None,
        answer: Declared = None,
        status: int = 200,
        idempotency: Idempotent | None = None,
        problems: Sequence[str] = (),
        summary: str = "",
        description: str = "",
        produces: str | Sequence[str] = JSON,
        cache: str = "private, no-store",
        languages: Sequence[str] = (),
        if_match: bool = False,
        max_body_bytes: int = 1_000_000,
        multiline: Sequence[str] = (),
        answer_suffix: Suffix | None = None,
        cached: CachedRead | None = None,
        formats: Sequence[str] = (),
        body_optional: bool = False,
    ) -> Callable[[View], View]:
        """Declare a route; the decorated view is returned unchanged.

        `cache`: the answer's Cache-Control. `languages`: those that the answer can be in, the first by
        default; the view may take `language`. `if_match`: documents that the header is needed (the view calls
        `require_if_match`). `multiline`: members of the body whose texts may have line breaks.
        `body_optional`: no body at all is an empty object. `formats`: media types that the answer can have,
        the first by default; the view takes `media_type`. `answer_suffix`: derives members from the answer's
        document that are sent but not stored. `cached`: the answer is kept as bytes; who may call, and what
        is asked, is decided before. `produces`: what a view without `answer` sends, choosing itself.
        Raises TypeError for a declaration that cannot be.
        """
        if not isinstance(who, Policy):
            raise TypeError(f"{method} {rule}: who= must be a Policy")

        def declare(view: View) -> View:
            operation = Operation(
                method=method,
                rule=self._prefix + rule,
                name=f"{self._name}.{view.__name__}",
                who=who,
                query=_instance(query),
                body=bytes if body is bytes else _instance(body),
                answer=_instance(answer),
                status=status,
                idempotency=idempotency,
                problems=tuple(problems),
                summary=summary or (inspect.getdoc(view) or "").partition("\n")[0],
                description=description,
                tag=self._tag,
                produces=(produces,) if isinstance(produces, str) else tuple(produces),
                cache=cache,
                languages=tuple(languages),
                if_match=if_match,
                max_body_bytes=max_body_bytes,
                multiline=frozenset(multiline),
                answer_suffix=answer_suffix,
                formats=tuple(formats),
                body_optional=body_optional,
                dialect=self._dialect,
            )
            self._add(operation, view, rule, cached)
            return view

        return declare

    def register(self, app: Flask) -> None:
        """Serve the routes. The app needs `app.extensions["authenticator"]` by the first request."""
        app.register_blueprint(self.blueprint)
        app.extensions.setdefault(_EXTENSION, []).extend(self.operations)

    def _add(self, operation: Operation, view: View, rule: str, cached: CachedRead | None) -> None:
        wanted = _wanted_inputs(operation, view)
        if cached is not None:
            cached.check(operation, takes_caller="caller" in wanted)
        self.operations.append(operation)
        self.blueprint.add_url_rule(
            rule,
            endpoint=operation.name.partition(".")[2],
            view_func=(
                _served(operation, view, wanted, self._clock)
                if cached is None
                else _served_cached(operation, view, wanted, cached)
            ),
            methods=[operation.method],
            provide_automatic_options=False,
            **({} if self._dialect is None else {"strict_slashes": False}),
        )


def operations_of(app: Flask) -> list[Operation]:
    """Every declared route of `app`, in the order of their declaration."""
    return list(app.extensions.get(_EXTENSION, ()))


def unguarded_rules(app: Flask) -> list[str]:
    """The rules in `app.url_map` that did not come through an Api, and so have no policy; a test wants
    none."""
    guarded = {(operation.name, operation.method) for operation in operations_of(app)}
    return sorted(
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
        if (rule.endpoint, method) not in guarded
    )


def _instance(declared: Any) -> Any:
    return _made(declared) if isinstance(declared, type) else declared


@cache
def _made(schema: type[Schema]) -> Schema:
    """One for all routes that declare it: it keeps nothing of what it has read."""
    return schema()


def _wanted_inputs(operation: Operation, view: View) -> frozenset[str]:
    names = inspect.signature(view).parameters
    where = f"{operation.method} {operation.rule} ({view.__name__})"
    for name, declared in (
        ("query", operation.query),
        ("body", operation.body),
        ("idempotency", operation.idempotency),
        ("media_type", operation.formats or None),
        ("language", operation.languages or None),
    ):
        if (name in names) != (declared is not None) and not (name == "language" and declared):
            raise TypeError(
                f"{where}: {name} must be declared at the route and taken by the view, or neither"
            )
    if operation.answer_suffix is not None and operation.idempotency is None:
        raise TypeError(f"{where}: answer_suffix belongs to a route that takes an idempotency key")
    return frozenset(names) & frozenset(_INPUTS)


def _served(operation: Operation, view: View, wanted: frozenset[str], clock: Clock) -> View:
    """The view with everything before and after it; all that can be decided is decided here, once."""
    load_body: Callable[[Any], Any] | None = (
        operation.body.load if isinstance(operation.body, Schema) else None
    )
    wants_caller, wants_language = "caller" in wanted, "language" in wanted
    wants_query, wants_body, wants_key = "query" in wanted, "body" in wanted, "idempotency" in wanted
    wants_format = "media_type" in wanted
    reads_query = operation.query is not None or operation.dialect is None

    def serve(**arguments: Any) -> Response:
        # The proxy costs a look-up each time it is touched; this is the documented way round it.
        incoming = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
        caller = _admitted(operation.who, incoming)
        if wants_caller:
            arguments["caller"] = caller
        key = key_of(operation.idempotency, incoming) if wants_key else None
        body = _read_body(operation, incoming) if wants_body else None
        query = read_query(incoming, operation.query) if reads_query else {}
        language = chosen_language(incoming, query, operation.languages) if operation.languages else None
        if wants_body:
            arguments["body"] = body if load_body is None else load_body(body)
        if wants_query:
            arguments["query"] = query
        if wants_language:
            arguments["language"] = language
        if wants_format:
            arguments["media_type"] = chosen_format(incoming, operation.formats)
        renderer = Renderer(operation, language)
        if wants_key:
            arguments["idempotency"] = (
                None if key is None else idempotency_of(caller, key, body, incoming, clock(), renderer)
            )
        try:
            result = view(**arguments)
        except keys.Replayed as replayed:
            return send(replayed.answer, operation, replayed=True)
        return renderer.response(result)

    return serve


def _served_cached(operation: Operation, view: View, wanted: frozenset[str], cached: CachedRead) -> View:
    """The view of a GET route behind a cache: what it takes is put together only when it is called."""
    nothing_asked = unasked(operation.query)

    def serve(**own: Any) -> Response:
        incoming = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
        caller = _admitted(operation.who, incoming)
        if nothing_asked is not None and not incoming.environ.get("QUERY_STRING"):
            query = dict(nothing_asked)
        else:
            query = read_query(incoming, operation.query)
        language = chosen_language(incoming, query, operation.languages) if operation.languages else None
        media_type = chosen_format(incoming, operation.formats)
        known = {"caller": caller, "query": query, "language": language, "media_type": media_type}

        def called() -> Any:
            return view(**own, **{name: known[name] for name in wanted})

        asked = ReadRequest(
            incoming=incoming,
            operation=operation,
            caller=caller,
            own_arguments=own,
            query=query,
            language=language,
            media_type=media_type,
            renderer=Renderer(operation, language),
        )
        return cached.respond(asked, called)

    return serve


def _admitted(who: Policy, incoming: Request) -> Caller:
    if who.proof is not None and not (who.kinds or who.roles or who.guests):
        return GUEST
    authenticator: Authenticator = current_app.extensions["authenticator"]
    caller = authenticator.caller(incoming.environ.get("HTTP_AUTHORIZATION"))
    if caller is not GUEST:
        note_user(incoming.environ, caller.principal)
    who.check(caller)
    return caller


def _read_body(operation: Operation, incoming: Request) -> Any:
    if operation.body is bytes:
        return read_bytes(incoming, operation.max_body_bytes)
    if isinstance(operation.body, Multipart):
        return read_multipart(incoming, operation.body)
    if isinstance(operation.body, Streamed):
        return read_streamed(incoming, operation.body)
    if operation.body_optional and not incoming.content_length and not incoming.mimetype:
        return {}
    return read_json(incoming, operation.max_body_bytes, operation.multiline)
