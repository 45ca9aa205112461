"""OpenAPI 3.1 of the declared routes: made from the same declarations that the routes run on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, fields

from common.web.multipart import MEDIA_TYPE as MULTIPART
from common.web.multipart import Multipart
from common.web.operations import JSON, Operation
from common.web.paging import Cursor
from common.web.problems import MEDIA_TYPE, PROBLEM_CODES, ProblemCode
from common.web.schemas import Instant, camel_case
from common.web.streamed import Streamed

_ARGUMENT = re.compile(r"<(?:(?P<kind>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")
_ARGUMENT_TYPES: Mapping[str, Mapping[str, str]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer"},
}
_TEXT = {"type": "string"}
_PROBLEM_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "description": "RFC 9457. Further members give the facts of the problem.",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "instance": {"type": "string", "description": "The id of the request."},
        "code": {"type": "string", "description": "What clients decide by."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {"pointer": _TEXT, "code": _TEXT, "detail": _TEXT},
            },
        },
    },
}


def build_document(
    operations: Iterable[Operation],
    *,
    title: str,
    version: str,
    description: str = "",
    server_url: str = "/",
    codes: Mapping[str, ProblemCode] | None = None,
) -> dict[str, Any]:
    """The OpenAPI document. `codes`: those of the service's business, beside PROBLEM_CODES.

    Raises KeyError when a route declares a problem that nobody defined.
    """
    known = {**(codes or {}), **PROBLEM_CODES}
    plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
    spec = APISpec(
        title,
        version,
        "3.1.0",
        plugins=[plugin],
        info={"description": description} if description else {},
        servers=[{"url": server_url}],
    )
    converter: Any = plugin.converter  # made by the plugin when the spec takes it up
    converter.field_mapping[Instant] = ("string", "date-time")
    converter.field_mapping[Cursor] = ("string", None)
    converter.add_attribute_function(_decimal_as_text)
    spec.components.schema("Problem", dict(_PROBLEM_SCHEMA))
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    for operation in sorted(operations, key=lambda operation: (operation.rule, operation.method)):
        if operation.who.proof is not None:
            proof = operation.who.proof
            spec.components.security_schemes[proof.name] = {
                "type": "apiKey",
                "in": proof.place,
                "name": proof.name,
            }
        described = _operation(operation, _arguments(operation.rule), known)
        spec.path(documented_path(operation.rule), operations={operation.method.lower(): described})
    document: dict[str, Any] = spec.to_dict()
    document["components"]["schemas"] = dict(sorted(document["components"]["schemas"].items()))
    return document


def problem_codes(operation: Operation) -> tuple[str, ...]:
    """Every code that the route can answer with: those declared and those that follow from its
    declaration."""
    who, codes = operation.who, list(operation.problems)
    if who.proof is None or who.guests or who.kinds or who.roles:
        codes += ["TOKEN_EXPIRED", "TOKEN_INVALID", "KEYS_UNAVAILABLE"]
        if not who.guests:
            codes += ["UNAUTHENTICATED", "FORBIDDEN"]
    codes += _body_codes(operation.body)
    if operation.idempotency is not None:
        codes += ["IDEMPOTENCY_KEY_MALFORMED", "IDEMPOTENCY_KEY_REUSED"]
    if operation.idempotency == "required":
        codes += ["IDEMPOTENCY_KEY_REQUIRED"]
    if operation.if_match:
        codes += ["IF_MATCH_MALFORMED", "PRECONDITION_REQUIRED"]
    if "<" in operation.rule:
        codes += ["NOT_FOUND"]
    return tuple(dict.fromkeys([*codes, "VALIDATION_FAILED", "INTERNAL_ERROR"]))


def _body_codes(body: Any) -> list[str]:
    if body is None:
        return []
    if isinstance(body, Multipart | Streamed):
        return ["CONTENT_TOO_LARGE", "BAD_REQUEST", "UNSUPPORTED_MEDIA_TYPE"]
    if isinstance(body, Schema):
        return ["CONTENT_TOO_LARGE", "MALFORMED_JSON", "UNSUPPORTED_MEDIA_TYPE"]
    return ["CONTENT_TOO_LARGE"]


def _operation(
    operation: Operation, arguments: list[dict[str, Any]], known: Mapping[str, ProblemCode]
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name.replace(".", "_"),
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    notes = [note for note in (operation.description, _who_text(operation)) if note]
    described["description"] = "\n\n".join(notes)
    parameters = arguments + _parameters(operation)
    if parameters:
        described["parameters"] = parameters
    if isinstance(operation.body, Schema):
        described["requestBody"] = {
            "required": not operation.body_optional,
            "content": {JSON: {"schema": operation.body}},
        }
    elif isinstance(operation.body, Multipart):
        described["requestBody"] = {"required": True, "content": {MULTIPART: _form(operation.body)}}
    elif operation.body is bytes:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": {}}}}
    elif isinstance(operation.body, Streamed):
        contents: dict[str, Any] = {media_type: {"schema": {}} for media_type in operation.body.media_types}
        described["requestBody"] = {"required": True, "content": contents}
    described["responses"] = _responses(operation, known)
    described["security"] = _security(operation)
    return described


def _form(body: Multipart) -> dict[str, Any]:
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    files = {"type": "array", "items": file, "minItems": 1, "maxItems": body.max_files}
    texts = {} if body.texts is None else {f"{each.data_key}": _TEXT for each in body.texts.fields.values()}
    return {
        "schema": {
            "type": "object",
            "required": [body.field],
            "properties": {body.field: files, **texts},
            "additionalProperties": False,
        }
    }


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if operation.query is not None:
        found.append({"in": "query", "schema": operation.query})
    if operation.idempotency is not None:
        key = {"type": "string", "minLength": 16, "maxLength": 64, "pattern": "^[!-~]+$"}
        found.append(_header("Idempotency-Key", key, required=operation.idempotency == "required"))
    if operation.if_match:
        found.append(_header("If-Match", {"type": "string", "pattern": '^"[0-9]+"$'}, required=True))
    if operation.languages:
        found.append(_header("Accept-Language", _TEXT, required=False))
    return found


def _header(name: str, schema: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": required, "schema": dict(schema)}


def _responses(operation: Operation, known: Mapping[str, ProblemCode]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Success"}
    if operation.answer is not None:
        success["content"] = {JSON: {"schema": operation.answer}}
        success["content"] |= {media_type: {"schema": {}} for media_type in operation.formats[1:]}
    elif operation.status in range(200, 300) and operation.status != 204:
        success["content"] = {media_type: {"schema": {}} for media_type in operation.produces}
    by_status: dict[int, list[str]] = {}
    dialect = operation.dialect
    for code in problem_codes(operation):
        status = known[code].status
        by_status.setdefault(status if dialect is None else dialect.status(status), []).append(code)
    form: dict[str, Any] = {MEDIA_TYPE: {"schema": "Problem"}}
    if dialect is not None:
        form = {JSON: {"schema": dialect.error}}
    refusals = {
        str(status): {
            "description": "; ".join(f"`{code}` {known[code].title}" for code in sorted(codes)),
            "content": form,
        }
        for status, codes in sorted(by_status.items())
    }
    return {str(operation.status): success, **refusals}


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    who = operation.who
    ways: list[dict[str, list[str]]] = [{}] if who.guests else []
    if who.guests or who.kinds or who.roles:
        ways.append({"bearer": sorted(who.roles)})
    if who.proof is not None:
        ways.append({who.proof.name: []})
    return ways


def _who_text(operation: Operation) -> str:
    who = operation.who
    ways = ["anyone"] if who.guests else []
    ways += [f"a {kind} token" for kind in sorted(who.kinds)]
    ways += [role.replace("_", " ") for role in sorted(who.roles)]
    ways += [f"whoever brings {who.proof.name}"] if who.proof is not None else []
    return f"For {', '.join(ways)}."


def documented_path(rule: str) -> str:
    """A URL rule as the document spells it."""
    return _ARGUMENT.sub(lambda found: "{" + camel_case(found["name"]) + "}", rule)


def _arguments(rule: str) -> list[dict[str, Any]]:
    return [
        {
            "in": "path",
            "name": camel_case(found["name"]),
            "required": True,
            "schema": dict(_ARGUMENT_TYPES.get(found["kind"] or "", _TEXT)),
        }
        for found in _ARGUMENT.finditer(rule)
    ]


def _schema_name(schema: Any) -> str:
    """A component's name; an empty one writes a schema that shows only a part of its class where it is
    used."""
    if isinstance(schema, Schema) and (schema.only is not None or schema.exclude or schema.partial):
        return ""
    named = schema if isinstance(schema, type) else type(schema)
    return str(named.__name__).removesuffix("Schema")


def _decimal_as_text(_converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """Without it a decimal that is written as text would be called a number."""
    return {"type": "string"} if isinstance(field, fields.Decimal) and field.as_string else {}
