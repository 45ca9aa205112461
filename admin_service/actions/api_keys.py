"""Keys for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from admin_service.actions.ports import Ports
from admin_service.domain.api_keys import ApiKey, checked
from admin_service.domain.audit import Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.users import in_order
from common.auth.api_keys import key_hash, key_start, made_key
from common.database.unavailable import StoreUnavailable
from common.identifiers import uuid7
from common.pages import Page
from common.web.idempotency import Idempotency


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateApiKey:
    name: str
    roles: tuple[str, ...]
    poi_ids: tuple[UUID, ...] | None
    expires_at: datetime
    origin: Origin
    idempotency: Idempotency | None = None


def find_api_keys(limit: int, cursor: str | None, ports: Ports) -> Page[ApiKey]:
    """Newest first."""
    return ports.store.api_keys.page(limit, cursor)


def find_api_key(key_id: UUID, ports: Ports) -> ApiKey:
    """Raises API_KEY_NOT_FOUND."""
    found = ports.store.api_keys.get(key_id)
    if found is None:
        raise Refused(Code.API_KEY_NOT_FOUND)
    return found


def create_api_key(command: CreateApiKey, ports: Ports) -> ApiKey:
    """Raises INVALID_API_KEY. What it opens doors with is `api_key_of` it, and is kept nowhere."""
    now, key_id = ports.clock(), uuid7()
    text = made_key(ports.key_secrets.newest()[1], key_id)
    key = checked(
        ApiKey(
            id=key_id,
            name=command.name,
            start=key_start(text),
            hash=key_hash(text),
            roles=in_order(command.roles),
            poi_ids=command.poi_ids,
            created_at=now,
            created_by=command.origin.actor,
            expires_at=command.expires_at,
        )
    )
    event = ports.event(command.origin, "api-keys.create", key.id, after=key.audited())
    return ports.store.api_keys.create(key, event, idempotency=command.idempotency)


def api_key_of(key_id: UUID, start: str, ports: Ports) -> str:
    """The key itself, for the one answer that shows it, and for its repetition: the one that begins with
    `start`, as the secret may have been another one then. Empty when that secret is gone.
    """
    made = (made_key(secret, key_id) for secret in ports.key_secrets.keys().values())
    return next((text for text in made if key_start(text) == start), "")


def revoke_api_key(key_id: UUID, origin: Origin, ports: Ports) -> None:
    """Raises API_KEY_NOT_FOUND."""
    event = ports.event(origin, "api-keys.revoke", key_id)
    ports.store.api_keys.revoke(key_id, ports.clock(), event)


def note_uses(uses: Mapping[UUID, datetime], ports: Ports) -> None:
    """Another service tells which keys were used there. None is used later than now."""
    now = ports.clock()
    ports.store.api_keys.used({key_id: min(moment, now) for key_id, moment in uses.items()})


def keep_uses(ports: Ports) -> None:
    """Write down which keys were used in this process; with the store away, later."""
    uses = ports.key_uses.taken()
    if not uses:
        return
    try:
        ports.store.api_keys.used(uses)
    except StoreUnavailable:
        ports.key_uses.give_back(uses)
