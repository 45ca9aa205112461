"""Keys for machines: what comes in and what goes out."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from admin_service.domain.api_keys import KEY_ROLES, ApiKey
from admin_service.schemas.values import no_markup, place_list, role_list
from common.web.documents import Document
from common.web.schemas import ApiSchema, Instant, instant_text

MAX_KEY_NAME, MAX_USES = 120, 1000


class ApiKeyIn(ApiSchema):
    """A gate, and whoever owns places, is limited to places."""

    name = fields.String(required=True, validate=[validate.Length(1, MAX_KEY_NAME), no_markup])
    roles = role_list(KEY_ROLES, least=1)
    poi_ids = place_list()
    expires_at = Instant(required=True)

    @post_load
    def command(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        places = values.get("poi_ids")
        values["poi_ids"] = None if places is None else tuple(dict.fromkeys(places))
        values["roles"] = tuple(values["roles"])
        return values


class ApiKeyOut(ApiSchema):
    """`start` is the beginning by which its owner recognises it."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    start = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    poi_ids = fields.List(fields.UUID(), required=True, allow_none=True)
    created_at = Instant(required=True)
    created_by = fields.String(required=True)
    expires_at = Instant(required=True)
    last_used_at = Instant(required=True, allow_none=True)
    revoked_at = Instant(required=True, allow_none=True)


class NewApiKeyOut(ApiKeyOut):
    """`key` is shown this once."""

    key = fields.String(required=True)


class KeyUse(ApiSchema):
    id = fields.UUID(required=True)
    at = Instant(required=True)


class KeyUses(ApiSchema):
    """Which keys were last used when."""

    uses = fields.List(fields.Nested(KeyUse), required=True, validate=validate.Length(0, MAX_USES))


def api_key_document(key: ApiKey) -> Document:
    """As `ApiKeyOut` says."""
    return {
        "id": key.id,
        "name": key.name,
        "start": key.start,
        "roles": key.roles,
        "poiIds": key.poi_ids,
        "createdAt": instant_text(key.created_at),
        "createdBy": key.created_by,
        "expiresAt": instant_text(key.expires_at),
        "lastUsedAt": None if key.last_used_at is None else instant_text(key.last_used_at),
        "revokedAt": None if key.revoked_at is None else instant_text(key.revoked_at),
    }
