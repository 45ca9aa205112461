"""The health checks of this service: its database, and its worker by what that leaves in the store."""

from __future__ import annotations

from collections.abc import Callable

from common.monitoring.checks import Check, Result, timed
from ticketing_service.actions.ports import Ports

LATE_HEARTBEAT_SECONDS = 15.0
LATE_OUTBOX_SECONDS = 60.0


def database_check(ports: Callable[[], Ports]) -> Check:
    """Vital: without its database the service cannot serve."""

    def run() -> Result:
        store = ports().store
        return timed(store.ping, type=store.kind)()

    return Check(name="database", run=run, vital=True)


def worker_check(ports: Callable[[], Ports]) -> Check:
    """Degraded when no worker was heard of for 15 s, or when work waits for more than a minute."""

    def run() -> Result:
        store, now = ports().store, ports().clock()
        heartbeat = store.outbox.heartbeat()
        _, oldest = store.outbox.depth(now)
        age = None if heartbeat is None else (now - heartbeat).total_seconds()
        late = age is None or age > LATE_HEARTBEAT_SECONDS or oldest > LATE_OUTBOX_SECONDS
        facts = {"heartbeatAgeSeconds": age, "outboxOldestSeconds": oldest}
        return Result("degraded" if late else "healthy", facts)

    return Check(name="worker", run=run, first={"heartbeatAgeSeconds": None, "outboxOldestSeconds": None})
