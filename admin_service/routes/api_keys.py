"""Keys for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from admin_service.actions import api_keys
from admin_service.actions.api_keys import CreateApiKey
from admin_service.domain.api_keys import ApiKey
from admin_service.routes.calling import PREFIX, PortsSource, allowed, keyed, origin_of
from admin_service.schemas.api_keys import ApiKeyIn, ApiKeyOut, NewApiKeyOut, api_key_document
from common.auth.policy import Caller
from common.web.api import Api
from common.web.documents import page_document, rendered
from common.web.idempotency import Idempotency
from common.web.paging import page_of
from common.web.values import Paged

_READ, _WRITE = allowed("api-keys:read"), allowed("api-keys:write")
_UNKNOWN = ("API_KEY_NOT_FOUND",)


def api_keys_api(ports: PortsSource) -> Api:
    api = Api("api-keys", f"{PREFIX}/api-keys")

    def with_key(document: Mapping[str, Any]) -> dict[str, str]:
        return {"key": api_keys.api_key_of(UUID(document["id"]), document["start"], ports())}

    @api.route("GET", "", who=_READ, query=Paged, answer=page_of(ApiKeyOut), summary="All keys, newest first")
    def find(query: dict[str, Any]) -> bytes:
        page = api_keys.find_api_keys(query["limit"], query["cursor"], ports())
        return rendered(page_document(page, [api_key_document(each) for each in page.items]))

    @api.route(
        "POST", "", who=_WRITE, body=ApiKeyIn, answer=NewApiKeyOut, status=201, idempotency="accepted",
        problems=("INVALID_API_KEY",), answer_suffix=with_key,
        summary="Make a key for a machine; it is shown this once",
    )  # fmt: skip
    def create(body: dict[str, Any], caller: Caller, idempotency: Idempotency | None) -> Any:
        command = CreateApiKey(**body, origin=origin_of(caller), idempotency=keyed(idempotency, _created))
        return _created(api_keys.create_api_key(command, ports()))

    @api.route("GET", "/<uuid:key_id>", who=_READ, answer=ApiKeyOut, problems=_UNKNOWN, summary="One key")
    def read(key_id: UUID) -> bytes:
        return rendered(api_key_document(api_keys.find_api_key(key_id, ports())))

    @api.route(
        "DELETE", "/<uuid:key_id>", who=_WRITE, status=204, problems=_UNKNOWN,
        summary="Revoke a key; it opens nothing within seconds",
    )  # fmt: skip
    def revoke(key_id: UUID, caller: Caller) -> None:
        api_keys.revoke_api_key(key_id, origin_of(caller), ports())

    return api


def _created(key: ApiKey) -> tuple[bytes, dict[str, str]]:
    return rendered(api_key_document(key)), {"Location": f"{PREFIX}/api-keys/{key.id}"}
