"""What time brings about: the worker's jobs."""

from __future__ import annotations

from admin_service.actions.ports import Ports

CHUNK = 500


def purge(ports: Ports) -> None:
    """Forget what nobody asks for any more."""
    for forget in (ports.store.outbox.purge, ports.store.sessions.purge):
        while forget(ports.clock(), CHUNK) >= CHUNK:
            pass
