"""Who may do what: one table, `resource:action` -> roles. The platform administrator may do everything."""

from __future__ import annotations

from collections.abc import Mapping

PLATFORM_ADMIN = "platform_admin"
POI_OWNER, EDITOR, REVIEWER = "poi_owner", "editor", "reviewer"
TICKET_MANAGER, FINANCE, SUPPORT, GATE, OPERATOR = (
    "ticket_manager",
    "finance",
    "support",
    "gate",
    "operator",
)
ROLES: Mapping[str, str] = {
    PLATFORM_ADMIN: "may do everything",
    POI_OWNER: "own points of interest: create, read, update, through review",
    EDITOR: "points of interest, content and media",
    REVIEWER: "reads, and approves what waits for review",
    TICKET_MANAGER: "catalogue, slots, vouchers; may be limited to places",
    FINANCE: "revenue, and bookings without contact data",
    SUPPORT: "bookings: read, confirm, extend, cancel, decide a refund",
    GATE: "scans at its places, and sees a scan's answer only",
    OPERATOR: "operates the system, and monitoring",
}
"""Every role, and what it is for."""

STAFF = (POI_OWNER, EDITOR, REVIEWER, TICKET_MANAGER, FINANCE, SUPPORT, OPERATOR)
"""Those of people; a gate is a machine's."""

PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "users:read": (PLATFORM_ADMIN,),
    "users:write": (PLATFORM_ADMIN,),
    "api-keys:read": (PLATFORM_ADMIN,),
    "api-keys:write": (PLATFORM_ADMIN,),
    "pois:read": (POI_OWNER, EDITOR, REVIEWER),
    "pois:create": (POI_OWNER, EDITOR),
    "pois:update": (POI_OWNER, EDITOR),
    "pois:review": (REVIEWER,),
    "pois:publish": (EDITOR, REVIEWER),
    "pois:verify": (REVIEWER,),
    "pois:import": (POI_OWNER, EDITOR),
    "pois:assign": (EDITOR,),
    "pois:merge": (EDITOR,),
    "media:read": (POI_OWNER, EDITOR, REVIEWER),
    "media:upload": (POI_OWNER, EDITOR),
    "media:update": (POI_OWNER, EDITOR),
    "media:delete": (POI_OWNER, EDITOR),
    "config:read": (EDITOR, OPERATOR),
    "config:write": (PLATFORM_ADMIN,),
    "audit:read": (PLATFORM_ADMIN,),
    "stats:read": (EDITOR, REVIEWER, FINANCE, OPERATOR),
    "privacy:export": (PLATFORM_ADMIN,),
    "privacy:erase": (PLATFORM_ADMIN,),
    "system:operate": (OPERATOR,),
}
"""The table. Where a role sees its own things only, the action decides whether a thing is its own."""


def roles_with(permission: str) -> tuple[str, ...]:
    """The roles that hold `permission`. Raises KeyError for one that is not in the table."""
    return PERMISSIONS[permission]
