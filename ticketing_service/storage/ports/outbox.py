"""What is to be done outside after a commit, and by which worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from common.outbox.port import StoredTask
from common.web.idempotency import Idempotency

Task = StoredTask
"""What is to be done outside after a commit."""


class OutboxStore(Protocol):
    def claim(self, now: datetime, lease_until: datetime, limit: int) -> tuple[Task, ...]:
        """Due tasks, leased to the caller until `lease_until`; oldest first."""
        ...

    def done(self, task_id: UUID) -> None: ...

    def failed(self, task_id: UUID, error: str, retry_at: datetime | None) -> None:
        """Try again at `retry_at`; None gives the task up and keeps it as dead."""
        ...

    def add(
        self, kind: str, payload: Mapping[str, Any], now: datetime, *, idempotency: Idempotency | None = None
    ) -> None: ...

    def depth(self, now: datetime) -> tuple[int, float]:
        """Tasks that wait, and the age of the oldest in seconds."""
        ...

    def beat(self, owner: str, now: datetime, lease_until: datetime) -> bool:
        """Be, or stay, the one active worker. False while another one's lease runs. Records the heartbeat."""
        ...

    def heartbeat(self) -> datetime | None: ...

    def purge(self, now: datetime, limit: int) -> int:
        """Forget idempotency answers older than 48 hours and guest counters that count nothing."""
        ...
