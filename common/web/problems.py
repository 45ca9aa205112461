"""Problem documents (RFC 9457): every refusal and failure leaves the service in this one shape."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from common.web.field_errors import FieldError, field_errors
from common.web.idempotency import KeyReused
from common.web.requests import note_problem, request_id
from common.web.schemas import instant_text

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """A code that clients may rely on, with its status and its title for people."""

    status: int
    title: str


PROBLEM_CODES: Mapping[str, ProblemCode] = {
    "BAD_REQUEST": ProblemCode(400, "The request cannot be understood"),
    "MALFORMED_JSON": ProblemCode(400, "The body is not valid JSON"),
    "IDEMPOTENCY_KEY_REQUIRED": ProblemCode(400, "The header Idempotency-Key is missing"),
    "IDEMPOTENCY_KEY_MALFORMED": ProblemCode(
        400, "The Idempotency-Key is not 16 to 64 visible ASCII characters"
    ),
    "IF_MATCH_MALFORMED": ProblemCode(400, "The header If-Match is not one strong entity tag of ours"),
    "UNAUTHENTICATED": ProblemCode(401, "Credentials are needed"),
    "TOKEN_EXPIRED": ProblemCode(401, "The token has expired"),
    "TOKEN_INVALID": ProblemCode(401, "The token is not valid"),
    "FORBIDDEN": ProblemCode(403, "You may not do this"),
    "NOT_FOUND": ProblemCode(404, "There is nothing at this address"),
    "BREAKER_NOT_FOUND": ProblemCode(404, "There is no such circuit breaker"),
    "REGION_NOT_FOUND": ProblemCode(404, "There is no such region of the cache"),
    "METHOD_NOT_ALLOWED": ProblemCode(405, "The address does not know this method"),
    "NOT_ACCEPTABLE": ProblemCode(406, "The answer cannot be given in a form that you accept"),
    "CONTENT_TOO_LARGE": ProblemCode(413, "The body is too large"),
    "URI_TOO_LONG": ProblemCode(414, "The address is too long"),
    "UNSUPPORTED_MEDIA_TYPE": ProblemCode(415, "The body has a type that is not understood here"),
    "VALIDATION_FAILED": ProblemCode(422, "The request has fields that cannot be accepted"),
    "IDEMPOTENCY_KEY_REUSED": ProblemCode(422, "The key was used for another request"),
    "PRECONDITION_REQUIRED": ProblemCode(428, "The header If-Match is missing"),
    "HEADERS_TOO_LARGE": ProblemCode(431, "The headers are too large"),
    "INTERNAL_ERROR": ProblemCode(500, "Something went wrong on our side"),
    "OVERLOADED": ProblemCode(503, "There are too many requests to answer them all in time"),
    "KEYS_UNAVAILABLE": ProblemCode(503, "Tokens cannot be verified now"),
}
"""The codes that `common` itself answers with; a service adds those of its business."""

_HTTP_CODES = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 406: "NOT_ACCEPTABLE", 413: "CONTENT_TOO_LARGE",
               414: "URI_TOO_LONG", 415: "UNSUPPORTED_MEDIA_TYPE", 431: "HEADERS_TOO_LARGE"}  # fmt: skip


class Problem(Exception):
    """An answer that is a problem document. `facts` become members of their own beside the standard ones."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str = "",
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail or title}")
        self.status, self.code, self.detail = status, code, detail
        self.title = title or (
            PROBLEM_CODES[code].title if code in PROBLEM_CODES else HTTPStatus(status).phrase
        )
        self.errors, self.headers, self.facts = tuple(errors), dict(headers or {}), dict(facts or {})


ErrorTable = Mapping[type[Exception], Callable[[Any], Problem]]
"""How a service turns its own exceptions into problems; subclasses are covered by their nearest base."""


def problem(code: str, detail: str = "", *, headers: Mapping[str, str] | None = None) -> Problem:
    """A problem of `PROBLEM_CODES`, with the status and title that belong to it."""
    known = PROBLEM_CODES[code]
    return Problem(known.status, code, known.title, detail, headers=headers)


def invalid(errors: Sequence[FieldError]) -> Problem:
    """422 VALIDATION_FAILED for the fields in `errors`."""
    known = PROBLEM_CODES["VALIDATION_FAILED"]
    return Problem(known.status, "VALIDATION_FAILED", known.title, errors=errors)


def problem_response(fault: Problem) -> Response:
    """The problem as an answer; `instance` is the id of the present request."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": fault.title,
        "status": fault.status,
        "detail": fault.detail or fault.title,
        "instance": request_id(),
        "code": fault.code,
    }
    note_problem(fault.code)
    if fault.errors:
        document["errors"] = [
            {"pointer": error.pointer, "code": error.code, "detail": error.detail} for error in fault.errors
        ]
    document = {**fault.facts, **document}
    body = orjson.dumps(document, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)
    answer = Response(body, status=fault.status, mimetype=MEDIA_TYPE)
    answer.headers.update(fault.headers)
    return answer


def _plain(fact: Any) -> str:
    """Facts are what the business knows them as: instants and ids among them."""
    return instant_text(fact) if isinstance(fact, datetime) else str(fact)


def install(app: Flask, error_table: ErrorTable) -> None:
    """Let every exception that leaves a view, and Flask's own errors, answer as a problem document."""
    for kind, translate in error_table.items():
        app.register_error_handler(kind, _translating(translate))
    app.register_error_handler(Problem, problem_response)
    app.register_error_handler(ValidationError, lambda error: problem_response(_validation(error)))
    app.register_error_handler(KeyReused, lambda _: problem_response(problem("IDEMPOTENCY_KEY_REUSED")))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _translating(translate: Callable[[Any], Problem]) -> Callable[[Exception], Response]:
    return lambda error: problem_response(translate(error))


def _validation(error: ValidationError) -> Problem:
    return invalid(field_errors(error.messages, error.data))


def _http_error(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status < 400:  # a redirect of the router's is an exception too
        return error
    code = _HTTP_CODES.get(status, "BAD_REQUEST" if status < 500 else "INTERNAL_ERROR")
    headers = {name: value for name, value in error.get_headers() if name.lower() in ("allow", "retry-after")}
    return problem_response(Problem(status, code, headers=headers))


def _unexpected(error: Exception) -> Response:
    log.error("unexpected error", exc_info=error, extra={"requestId": request_id()})
    return problem_response(problem("INTERNAL_ERROR"))
