"""What time brings about: the worker's jobs."""

from __future__ import annotations

from admin_service.actions.ports import Ports

CHUNK = 500


def purge(ports: Ports) -> None:
    """Forget what is kept for a time only."""
    while ports.store.outbox.purge(ports.clock(), CHUNK) >= CHUNK:
        pass
