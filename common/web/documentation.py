"""Where the API describes itself: the OpenAPI document, and beside it a page for people."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from flask import Response
from jinja2 import Environment, FileSystemLoader

from common.auth.policy import anyone
from common.web.api import Api

TEMPLATES = Path(__file__).parent / "templates"
_CACHE = "public, max-age=300"


def documentation(prefix: str, document: Callable[[], dict[str, Any]]) -> Api:
    """Routes `openapi.json` and `docs` below `prefix`. `document` is called once, at the first request."""
    api = Api("documentation", prefix)
    built = cache(document)

    @cache
    def as_json() -> bytes:
        return orjson.dumps(built())

    @cache
    def as_page() -> tuple[str, str]:
        return render_page(built(), f"{prefix}/openapi.json")

    @api.route("GET", "/openapi.json", who=anyone(), cache=_CACHE, summary="This API in OpenAPI 3.1")
    def openapi() -> bytes:
        return as_json()

    @api.route("GET", "/docs", who=anyone(), cache=_CACHE, produces="text/html", summary="This API as a page")
    def docs() -> Response:
        page, policy = as_page()
        return Response(page, mimetype="text/html", headers={"Content-Security-Policy": policy})

    return api


def render_page(document: dict[str, Any], json_url: str) -> tuple[str, str]:
    """The page, and the Content-Security-Policy under which it shows: nothing but its own style."""
    # A server's own page, made once from its own document: nothing of it comes from a request.
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    style = (TEMPLATES / "openapi.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    tags: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            entry = {"method": method.upper(), "path": path, **operation}
            tags.setdefault(operation["tags"][0], []).append(entry)
    page = templates.get_template("openapi.html").render(
        document=document, tags=dict(sorted(tags.items())), style=style, json_url=json_url, shape=_shape
    )
    return page, f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'"


def _shape(schema: dict[str, Any]) -> tuple[str, str]:
    """A schema in a word, and the name of the component that it leads to, if any."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return name, name
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            parts = [_shape(part) for part in schema[key]]
            return " or ".join(text for text, _ in parts), next((name for _, name in parts if name), "")
    kind = schema.get("type", "any")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if "items" in schema:
        inner, name = _shape(schema["items"])
        return f"list of {inner}", name
    if isinstance(schema.get("additionalProperties"), dict):
        inner, name = _shape(schema["additionalProperties"])
        return f"map to {inner}", name
    return (f"{text} ({schema['format']})" if "format" in schema else text), ""
