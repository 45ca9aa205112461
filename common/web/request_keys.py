"""The idempotency key of a request, and what it stands for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Request

from common.auth.policy import Caller
from common.web import idempotency as keys
from common.web.answers import Renderer
from common.web.multipart import Uploads
from common.web.operations import Idempotent
from common.web.problems import problem


def key_of(wanted: Idempotent | None, incoming: Request) -> str | None:
    """The key that was sent. Raises Problem 400 for none where one is `wanted`, and for one that is none."""
    text: str | None = incoming.environ.get("HTTP_IDEMPOTENCY_KEY")
    if text is None:
        if wanted == "required":
            raise problem(
                "IDEMPOTENCY_KEY_REQUIRED", "Send 16 to 64 visible ASCII characters, such as a UUID."
            )
        return None
    if not keys.is_key(text):
        raise problem("IDEMPOTENCY_KEY_MALFORMED")
    return text


def idempotency_of(
    caller: Caller, key: str, body: Any, incoming: Request, now: datetime, renderer: Renderer
) -> keys.Idempotency:
    """What `key` stands for: the caller's request with this body, to be answered by `renderer`."""
    method, path = incoming.method, incoming.path
    # A body that came as bytes is not canonical JSON: it stands for itself, and uploads for their digests.
    comparable = body.decode("latin-1") if isinstance(body, bytes) else body
    comparable = body.comparable if isinstance(body, Uploads) else comparable
    return keys.Idempotency(
        keys.scope_of(caller.principal, method, path),
        keys.hashed_key(key),
        keys.fingerprint_of(method, path, comparable),
        now,
        renderer.render,
    )
