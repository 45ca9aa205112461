"""The admin service over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from common.auth.service_tokens import ServiceTokens
from common.service_client import ServiceClient
from ticketing_service.clients.port import AdminUnavailable, NoAdmin

CONFIGURATION = "/api/admin/internal/configuration"


class HttpPlatformSource:
    """`PlatformSource` at `base_url` (scheme, host and port)."""

    def __init__(self, base_url: str, tokens: ServiceTokens) -> None:
        self._client = ServiceClient(base_url, lambda: tokens.issue("ticketing", "admin"), AdminUnavailable)

    def read(self) -> Mapping[str, Any]:
        """See PlatformSource."""
        answer = self._client.ask("GET", CONFIGURATION)
        if answer.status != HTTPStatus.OK or not isinstance(answer.document, dict):
            raise AdminUnavailable(f"answered {answer.status}")
        return answer.document

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


class NoPlatformSource:
    """`PlatformSource` where there is no admin service: what was kept, or our own defaults, hold."""

    def read(self) -> Mapping[str, Any]:
        """See PlatformSource."""
        raise NoAdmin("ADMIN_API_URL names no admin service")
