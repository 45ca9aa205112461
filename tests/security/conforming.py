"""Requests that follow from a service's own OpenAPI document; every answer is held to that document.

A request is made in three ways: the call that is meant well; what the document allows, mixed with it; and
what the document forbids. The answers must be of a documented status, type and shape, never a failure (5xx),
and what is forbidden must be refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.checks import load_all_checks
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from common.web.api import operations_of
from common.web.openapi import documented_path
from tests.counts import counts

load_all_checks()

Operation = APIOperation[Any, Any, Any, Any]

EXAMPLES = counts(2, 60)
"""Of each operation: so many that the document allows, and so many that it forbids."""

AWAY = {
    "TICKETING_UNAVAILABLE": "the other service is not there in these tests",
    "DOCUMENT_PENDING": "a document is made by the worker, which does not run here",
    "The document is being made": "the same over OCTO, which has no code for it",
}
"""Answers of 503 that are no failures, with the reason."""


def no_failure(_context: object, answer: Response, _case: object) -> None:
    """Nothing but what AWAY lists may be answered with 5xx."""
    if answer.status_code >= 500:
        told = answer.json()
        assert AWAY.keys() & {told.get("code"), told.get("errorMessage")}, answer.text


CHECKS: list[Any] = [
    no_failure,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CARRIED = ("If-Match", "Idempotency-Key")
"""Headers of the call that is meant well without which nothing gets far."""


class WellMeant(Protocol):
    """A call as the stages of both services have them."""

    @property
    def path(self) -> str: ...
    @property
    def query(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> Any: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def token(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Document:
    """A service with its document. `prefix`: what the paths of its calls leave out."""

    app: Flask
    prefix: str
    operations: Mapping[str, Operation]

    def well_meant(self, name: str, call: WellMeant) -> Response:
        """Send the call as it is."""
        operation = self.operations[name]
        case = operation.Case(
            path_parameters=self._arguments(operation, call),
            query=dict(call.query),
            headers=dict(call.headers),
        )
        raw = getattr(call, "data", None)
        body = (
            {} if raw is None and call.body is None else {"json": call.body} if raw is None else {"data": raw}
        )
        return _held(case, call, CHECKS, **body)

    def allowed(self, name: str, make: Callable[[], WellMeant]) -> None:
        """Send what the document allows, mixed with the call: without it most would end at an unknown id."""
        operation = self.operations[name]
        generated = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)

        def send(case: Case[Any], data: st.DataObject) -> None:
            call = make()
            if data.draw(st.integers(0, 3)):
                case.path_parameters.update(self._arguments(operation, call))
                case.headers.update({key: call.headers[key] for key in CARRIED if key in call.headers})
            if isinstance(case.body, dict) and isinstance(call.body, dict) and call.body:
                kept = data.draw(st.sets(st.sampled_from(sorted(call.body))))
                case.body.update({key: call.body[key] for key in kept})
            _held(case, call, CHECKS)

        tried(send, generated, mixed=True)

    def forbidden(self, name: str, make: Callable[[], WellMeant]) -> None:
        """Send what the document forbids, at the address of the call."""
        operation, call = self.operations[name], make()
        headers = {key: call.headers[key] for key in CARRIED if key in call.headers}
        generated = operation.as_strategy(
            generation_mode=GenerationMode.NEGATIVE,
            path_parameters=self._arguments(operation, call) or None,
            headers=headers or None,
        )

        def send(case: Case[Any]) -> None:
            _held(case, call, [*CHECKS, negative_data_rejection, missing_required_header])

        tried(send, generated, mixed=False)

    def _arguments(self, operation: Operation, call: WellMeant) -> dict[str, Any]:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path)
        whole = (
            call.path
            if call.path.startswith(("/api/", "/.well-known/", "/admin/"))
            else self.prefix + call.path
        )
        found = re.fullmatch(pattern, whole)
        assert found is not None, (operation.path, whole)
        return dict(found.groupdict())


def document_of(app: Flask, prefix: str) -> Document:
    """The document as the service tells it, by the names that the stages give to their calls."""
    document: Any = app.test_client().get(f"{prefix}/openapi.json").json
    schema = schemathesis.openapi.from_dict(document)
    schema.app = app
    # whoever asks is decided by the call's own token
    schema.config.generation.with_security_parameters = False
    rules = {(each.method, documented_path(each.rule)): each.rule for each in operations_of(app)}
    found: dict[str, Any] = {}
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result.err()
        operation = result.ok()
        method = operation.method.upper()
        rule = rules[(method, operation.path)].removeprefix(prefix)
        found[f"{method} {rule}"] = operation
    return Document(app, prefix, found)


def _held(case: Case[Any], call: WellMeant, checks: list[Any], **body: Any) -> Response:
    """Send it with the call's token, and hold the answer to the document."""
    own = {} if call.token is None else {"Authorization": f"Bearer {call.token}"}
    kind = {key: value for key, value in call.headers.items() if body and key == "Content-Type"}
    answer = case.call(headers={**kind, **own}, **body)
    case.validate_response(answer, checks=checks)
    return answer


def tried(send: Callable[..., None], generated: st.SearchStrategy[Case[Any]], *, mixed: bool) -> None:
    """Send so many examples, the same in each run."""
    more = {"data": st.data()} if mixed else {}
    bounded = settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        # a stage's calls make what they need: slow, and never twice the same
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    try:
        bounded(given(case=generated, **more)(send))()
    except Unsatisfiable:
        assert not mixed  # an operation without any parameter forbids nothing
