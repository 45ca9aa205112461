"""Resellers and their keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.resellers import Credential, Reseller, ResellerKey


class ResellerStore(Protocol):
    def create(self, reseller: Reseller, *, idempotency: Idempotency | None = None) -> Reseller: ...

    def replace(
        self, reseller: Reseller, expected_version: int, *, idempotency: Idempotency | None = None
    ) -> Reseller:
        """Refuses RESELLER_NOT_FOUND, VERSION_CONFLICT, CREDIT_BELOW_USED."""
        ...

    def get(self, reseller_id: UUID) -> Reseller | None: ...

    def page(self, limit: int, cursor: str | None) -> Page[Reseller]: ...

    def add_key(self, key: ResellerKey, *, idempotency: Idempotency | None = None) -> ResellerKey:
        """Refuses RESELLER_NOT_FOUND."""
        ...

    def revoke_key(self, reseller_id: UUID, key_id: UUID, now: datetime) -> ResellerKey:
        """A key that was revoked already stays as it is. Refuses API_KEY_NOT_FOUND."""
        ...

    def keys(self, reseller_id: UUID, limit: int, cursor: str | None) -> Page[ResellerKey]:
        """Newest first, those that have ended or were revoked among them."""
        ...

    def used(self, uses: Mapping[UUID, datetime]) -> None:
        """When keys were last used; an earlier use than the one that is known changes nothing."""
        ...

    def generation(self) -> int:
        """Another number whenever a reseller or a key was changed."""
        ...

    def credentials(self) -> tuple[Credential, ...]:
        """All keys that were not revoked."""
        ...
