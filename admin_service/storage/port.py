"""All ports of one store; the Protocols are in `ports/`, a file an aggregate.

Every verb that writes takes `idempotency`: with one, the answer is kept in the same commit, a repetition
raises `common.web.idempotency.Replayed` and another request under the same key raises `KeyReused`. Every verb
may raise `common.database.StoreUnavailable`; refusals are `admin_service.domain.errors.Refused`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from admin_service.storage.ports.api_keys import ApiKeyStore, StandingStore
from admin_service.storage.ports.audit import AuditStore
from admin_service.storage.ports.config import ConfigStore
from admin_service.storage.ports.duplicates import DuplicateStore
from admin_service.storage.ports.imports import ImportStore
from admin_service.storage.ports.media import MediaStore
from admin_service.storage.ports.outbox import OutboxStore
from admin_service.storage.ports.pois import PoiStore
from admin_service.storage.ports.sessions import SessionStore
from admin_service.storage.ports.users import UserStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """`ping` asks for a sign of life, on a connection of its own; `connections_in_use` counts those that are
    at work; `close` lets go of all.
    """

    kind: str
    users: UserStore
    sessions: SessionStore
    api_keys: ApiKeyStore
    standing: StandingStore
    audit: AuditStore
    config: ConfigStore
    media: MediaStore
    outbox: OutboxStore
    pois: PoiStore
    duplicates: DuplicateStore
    imports: ImportStore
    ping: Callable[[], None]
    connections_in_use: Callable[[], int]
    close: Callable[[], None]


NO_AGGREGATES = frozenset({"kind", "ping", "connections_in_use", "close"})
"""Fields of a store that are no ports: nothing goes round them."""
