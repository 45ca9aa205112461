"""OCTO's own specification, as the schemas that answers are held to.

`openapi.yaml` is the official document (https://octo.travel, free for anyone to use), as it was published. It
names the capability of a field where a field belongs to one: without it the field must not be there, with it
it must, where the document calls it required. A field that the document does not know must never be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "openapi.yaml").read_text())
_CAPABILITY = "x-capability-data"
_KEPT = ("type", "enum", "minItems", "format", "pattern", "minimum", "maximum")

PRICING, CONTENT, WEBHOOKS = "octo/pricing", "octo/content", "octo/webhooks"


def hold(document: Any, name: str, used: frozenset[str] = frozenset(), *, many: bool = False) -> None:
    """Assert that `document` is what the schema `name` says, answered with the capabilities `used`."""
    for each in document if many else [document]:
        faults = [
            f"{'/'.join(map(str, fault.path))}: {fault.message}"
            for fault in _validator(name, used).iter_errors(each)
        ]
        assert not faults, f"{name}: {faults}"


@cache
def _validator(name: str, used: frozenset[str]) -> Draft202012Validator:
    return Draft202012Validator(schema_of(name, used), format_checker=FormatChecker())


def schema_of(name: str, used: frozenset[str]) -> dict[str, Any]:
    return _resolved(DOCUMENT["components"]["schemas"][name], used)


def _resolved(node: Mapping[str, Any], used: frozenset[str]) -> dict[str, Any]:
    if "$ref" in node:
        return schema_of(node["$ref"].rpartition("/")[2], used)
    made = {key: node[key] for key in _KEPT if key in node}
    parts = [_resolved(part, used) for part in node.get("allOf", ())]
    if "items" in node:
        made["items"] = _resolved(node["items"], used)
    if "properties" in node or any("properties" in part for part in parts):
        made |= _object(node, parts, used)
    for part in parts:
        made |= {key: value for key, value in part.items() if key not in made}
    if node.get("nullable"):
        return {"anyOf": [made, {"type": "null"}]}
    return made


def _object(node: Mapping[str, Any], parts: list[dict[str, Any]], used: frozenset[str]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required = set(node.get("required", ()))
    for part in parts:
        properties |= part["properties"]
        required |= set(part["required"])
    for name, inner in node.get("properties", {}).items():
        belongs = inner.get(_CAPABILITY)
        if belongs is not None and belongs["capability"] not in used:
            continue
        properties[name] = _resolved(inner, used)
        if belongs is not None and belongs.get("required"):
            required.add(name)
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(required),
        "additionalProperties": False,
    }
