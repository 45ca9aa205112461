"""All that the actions reach the outside through, as one value. `admin_service.wiring` builds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from admin_service.actions.access_tokens import AccessTokens
from admin_service.clients.port import Storage, Ticketing
from admin_service.domain.audit import AuditEvent, Origin
from admin_service.storage.port import Store
from common.auth.keyfiles import KeyRing
from common.auth.passwords import Passwords
from common.auth.sealing import Sealing
from common.auth.standing import KeyUses, StandingSource
from common.backups.desk import BackupDesk
from common.clock import Clock
from common.mail.port import Mailer


class Secrets(Protocol):
    """Secrets by id, oldest first; the newest is used for what is new."""

    def keys(self) -> Mapping[str, bytes]: ...
    def newest(self) -> tuple[str, bytes]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """`token_keys` sign `access_tokens`. `key_secrets` and `link_secrets` derive the keys of machines and the
    links in mails, `pseudonym_secrets` what the audit trail calls e-mail addresses. Who holds a role of
    `second_factor_roles` must have a second factor. `public_url` is where people reach us, without a slash at
    the end. `standing` is what is known of credentials beside their signatures, and `key_uses` notes which
    keys are used in this process. Media are read at `media_url`; uploads are in `upload_folder` while they
    come in. `backups` is what is known of them.
    """

    store: Store
    mailer: Mailer
    storage: Storage
    ticketing: Ticketing
    clock: Clock
    passwords: Passwords
    sealing: Sealing
    standing: StandingSource
    token_keys: KeyRing
    access_tokens: AccessTokens
    key_secrets: Secrets
    link_secrets: Secrets
    pseudonym_secrets: Secrets
    second_factor_roles: frozenset[str]
    public_url: str
    media_url: str
    upload_folder: Path
    backups: BackupDesk
    key_uses: KeyUses = field(default_factory=KeyUses)

    def event(
        self,
        origin: Origin,
        action: str,
        subject: object,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        personal_before: Mapping[str, Any] | None = None,
        personal_after: Mapping[str, Any] | None = None,
    ) -> AuditEvent:
        """What is done now, for the audit trail."""
        return AuditEvent(
            at=self.clock(),
            origin=origin,
            action=action,
            subject=str(subject),
            before=before or {},
            after=after or {},
            personal_before=personal_before or {},
            personal_after=personal_after or {},
        )
