"""What other services follow: whose credentials have ended, and which keys there are."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from flask import Response, request

from admin_service.actions import api_keys
from admin_service.routes.calling import PREFIX, PortsSource
from admin_service.schemas.api_keys import KeyUses
from common.auth.policy import SERVICE_KIND, Policy, bearer
from common.auth.standing import standing_document
from common.web.api import Api
from common.web.documents import rendered

SERVICES: Policy = bearer(SERVICE_KIND)
CHANGED = "private, no-cache"


def changes_api(ports: PortsSource) -> Api:
    api = Api("changes", f"{PREFIX}/auth", tag="auth")

    @api.route(
        "GET", "/changes", who=SERVICES, cache=CHANGED,
        summary="For services: ended sessions, changed privileges, keys; 304 when nothing has changed",
    )  # fmt: skip
    def read() -> Response:
        body = rendered(standing_document(ports().standing.current()))
        # Of the content: the same number of changes may have led somewhere else, in another database.
        tag = f'"{sha256(body).hexdigest()[:32]}"'
        if request.headers.get("If-None-Match") == tag:
            return Response(status=304, headers={"ETag": tag})
        return Response(body, content_type="application/json", headers={"ETag": tag})

    @api.route(
        "POST", "/key-uses", who=SERVICES, body=KeyUses, status=204,
        summary="For services: when keys were last used there",
    )  # fmt: skip
    def note(body: dict[str, Any]) -> None:
        api_keys.note_uses({use["id"]: use["at"] for use in body["uses"]}, ports())

    return api
