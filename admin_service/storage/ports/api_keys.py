"""Keys for machines, and what all who verify credentials must know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from admin_service.domain.api_keys import ApiKey
from admin_service.domain.audit import AuditEvent
from common.auth.standing import Standing
from common.pages import Page
from common.web.idempotency import Idempotency


class ApiKeyStore(Protocol):
    def create(self, key: ApiKey, event: AuditEvent, *, idempotency: Idempotency | None = None) -> ApiKey: ...

    def get(self, key_id: UUID) -> ApiKey | None: ...

    def page(self, limit: int, cursor: str | None) -> Page[ApiKey]:
        """Newest first."""
        ...

    def revoke(self, key_id: UUID, now: datetime, event: AuditEvent) -> ApiKey:
        """It opens nothing any more; one that was revoked stays as it is. Refuses API_KEY_NOT_FOUND."""
        ...

    def used(self, uses: Mapping[UUID, datetime]) -> None:
        """When keys were last used; what is known of a later use stands."""
        ...


class StandingStore(Protocol):
    """What makes credentials invalid before their time, and which keys there are."""

    def generation(self) -> int:
        """Counted up by every commit that changes what `read` answers."""
        ...

    def read(self, now: datetime) -> Standing:
        """All of it as it is at `now`."""
        ...
