"""The audit trail."""

from __future__ import annotations

from typing import Protocol

from admin_service.domain.audit import AuditEntry, AuditEvent


class AuditStore(Protocol):
    """Verbs that change anything add their events in their own commit (`storage.sql.audit.append`); `append`
    is for what changes nothing in the store, such as a failed sign-in.
    """

    def append(self, event: AuditEvent) -> AuditEntry:
        """Add the event at the end of the chain."""
        ...

    def after(self, number: int, limit: int) -> tuple[AuditEntry, ...]:
        """The entries after `number`, in their order."""
        ...
