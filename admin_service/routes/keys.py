"""The public keys of access tokens, for all who verify them."""

from __future__ import annotations

from typing import Any

from admin_service.routes.calling import PortsSource
from common.auth.jwks import public_jwk
from common.auth.policy import anyone
from common.web.api import Api

CACHE = "public, max-age=30"
"""A new key is published for longer before it signs."""


def keys_api(ports: PortsSource) -> Api:
    api = Api("keys")

    @api.route(
        "GET", "/.well-known/jwks.json", who=anyone(), cache=CACHE,
        summary="The public keys of access tokens (RFC 7517)",
    )  # fmt: skip
    def jwks() -> dict[str, Any]:
        known = ports().token_keys.public_bytes()
        return {"keys": [public_jwk(key_id, key) for key_id, key in known.items()]}

    return api
