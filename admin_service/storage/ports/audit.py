"""The audit trail."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from admin_service.domain.audit import AuditEntry, AuditEvent
from common.pages import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Filters of the list; None is no filter. Newest first. `action`: a whole one, such as `media.delete`, or
    a resource, such as `media`.
    """

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    at_from: datetime | None = None
    at_to: datetime | None = None
    limit: int = 20
    cursor: str | None = None


class AuditStore(Protocol):
    """Verbs that change anything add their events in their own commit (`storage.sql.audit.append`); `append`
    is for what changes nothing in the store, such as a failed sign-in.
    """

    def append(self, event: AuditEvent) -> AuditEntry:
        """Add the event at the end of the chain."""
        ...

    def erase(self, subjects: Collection[str], event: AuditEvent) -> AuditEntry:
        """Take out of the entries about `subjects` from where those came who were not signed in, and add
        `event`, whose `after` is given how many `entries` that were.
        """
        ...

    def after(self, number: int, limit: int) -> tuple[AuditEntry, ...]:
        """The entries after `number`, in their order."""
        ...

    def page(self, query: AuditQuery) -> Page[AuditEntry]: ...

    def end(self) -> tuple[int, bytes]:
        """Number and hash of the last entry, as they were noted apart from it; 0 and `FIRST_HASH` before the
        first."""
        ...

    def counted(self, actions: tuple[str, ...], since: datetime) -> dict[str, int]:
        """How many entries of each of `actions` there are since then; none is 0."""
        ...
