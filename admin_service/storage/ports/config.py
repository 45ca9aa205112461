"""The platform's configuration, and the mode that the whole platform is in."""

from __future__ import annotations

from typing import Protocol

from admin_service.domain.audit import AuditEvent
from admin_service.domain.configuration import Revision
from admin_service.domain.modes import SystemMode
from common.pages import Page
from common.web.idempotency import Idempotency


class ConfigStore(Protocol):
    def current(self) -> Revision:
        """The newest revision; `configuration.FIRST` before the first change."""
        ...

    def revision(self, number: int) -> Revision | None: ...

    def page(self, limit: int, cursor: str | None) -> Page[Revision]:
        """The newest first."""
        ...

    def change(
        self, revision: Revision, event: AuditEvent, *, idempotency: Idempotency | None = None
    ) -> Revision:
        """Make `revision` the newest. Refuses VERSION_CONFLICT unless its number follows the newest one's;
        UNKNOWN_MEDIA for a logo that is none of our pictures."""
        ...

    def mode(self) -> SystemMode: ...

    def set_mode(self, mode: SystemMode, event: AuditEvent) -> SystemMode:
        """Refuses VERSION_CONFLICT unless its version follows that of the present one."""
        ...
