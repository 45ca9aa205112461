"""What of this service is moved from one store to another, and in which order."""

from __future__ import annotations

from pathlib import Path

from common.database.kinds import kind_of
from common.transfer.documents import Entity
from common.transfer.port import Side

ENTITIES = (
    Entity("users"),
    Entity("sessions"),
    Entity("refresh_tokens", key=("hash",)),
    Entity("sign_in_attempts", key=("email_hash",)),
    Entity("links", key=("hash",)),
    Entity("api_keys"),
    Entity("standing"),
    Entity("config_revisions", key=("number",)),
    Entity("system_mode"),
    Entity("audit", key=("number",)),
    Entity("audit_head"),
    Entity("media"),
    Entity("media_uses", key=("media_id", "kind", "object_id")),
    Entity("media_taken"),
    Entity("pois", batch=250),
    Entity("poi_history", key=("poi_id", "version"), batch=250),
    Entity("poi_cells", key=("level", "cell")),
    Entity("poi_merges", batch=100),
    Entity("poi_resemblances", key=("one", "other")),
    Entity("imports"),
    Entity("import_chunks", key=("import_id", "position"), batch=4),
    Entity("import_rows", key=("import_id", "number")),
    Entity("outbox"),
    Entity("idempotency", key=("scope", "key")),
)
"""What refers to something comes after it. Not among them: leases, which say who is at work just now."""

PREDECESSOR = tuple(each for each in ENTITIES if each.name in ("pois", "poi_history", "poi_cells"))
"""What of it the predecessor has."""

SIGNS_OF_USE = tuple(
    each
    for each in ENTITIES
    if each.name in ("sessions", "refresh_tokens", "media", "imports", "idempotency")
)
"""What is in a store only when its service has run; the first account is made before that."""


def open_side(url: str, *, writable: bool) -> Side:
    """The store as one that is moved from or, if it is `writable`, to. Only its own driver is imported."""
    if kind_of(url) == "mongodb":
        from admin_service.storage.mongo import transfer as mongo  # noqa: PLC0415

        return mongo.open_side(url, writable=writable)
    from admin_service.storage.sql import transfer as sql  # noqa: PLC0415

    return sql.open_side(url, writable=writable)


def open_predecessor(url: str, data_dir: Path) -> Side:
    """The predecessor's database, as one that is moved from. Raises StoreUnavailable, TransferFault."""
    from admin_service.storage.predecessor import side  # noqa: PLC0415

    return side.open_side(url, data_dir)


def is_current(url: str) -> bool:
    """Whether the store has the shape that this release expects. Raises `StoreUnavailable`."""
    if kind_of(url) == "mongodb":
        from admin_service.storage.mongo import transfer as mongo  # noqa: PLC0415

        return mongo.is_current(url)
    from admin_service.storage.sql import transfer as sql  # noqa: PLC0415

    return sql.is_current(url)
