"""Keys for machines: gates, imports, reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from admin_service.domain.errors import Code, Refused
from admin_service.domain.permissions import (
    EDITOR,
    FINANCE,
    GATE,
    OPERATOR,
    POI_OWNER,
    REVIEWER,
    SUPPORT,
    TICKET_MANAGER,
)

KEY_ROLES = (GATE, EDITOR, REVIEWER, TICKET_MANAGER, FINANCE, SUPPORT, OPERATOR, POI_OWNER)
"""What a key may be given. None administers the platform: whoever does that is a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """`start` is how its owner recognises it; of the key itself only `hash` is kept. `poi_ids`: the places
    that it is limited to; None: any.
    """

    id: UUID
    name: str
    start: str
    hash: str
    roles: tuple[str, ...]
    poi_ids: tuple[UUID, ...] | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it opens anything at `now`."""
        return self.revoked_at is None and now < self.expires_at

    def audited(self) -> dict[str, Any]:
        """What of the key stands in the audit trail."""
        return {
            "name": self.name,
            "start": self.start,
            "roles": list(self.roles),
            "poiIds": None if self.poi_ids is None else [str(poi_id) for poi_id in self.poi_ids],
            "expiresAt": self.expires_at.isoformat(),
        }


def checked(key: ApiKey) -> ApiKey:
    """`key`, when it may be made. Raises INVALID_API_KEY."""
    for role in (GATE, POI_OWNER):
        if role in key.roles and not key.poi_ids:
            raise Refused(Code.INVALID_API_KEY, f"A {role} is limited to places: name them.", "/poiIds")
    if key.expires_at <= key.created_at:
        raise Refused(Code.INVALID_API_KEY, "It would have ended before it begins.", "/expiresAt")
    return key
