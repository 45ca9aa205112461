"""An upstream as a process of its own, to be killed or paused: `python -m tests.gateway.service PORT`."""

from __future__ import annotations

import json
import signal
import sys

from tests.gateway.upstream import Prepared, Upstream
from tests.servers.process import Process, free_port

PUBLIC = [("Content-Type", "application/json"), ("Cache-Control", "public, max-age=60"), ("ETag", '"7"')]
HEALTHY = {"status": "healthy", "service": "ticketing-module", "version": "1.2.3", "checks": {}}
HEALTH_PATH, INFO_PATH = "/api/v1/monitoring/health", "/api/v1/monitoring/info"
ADMIN_HEALTH_PATH = "/api/admin/monitoring/health"


def prepare_health(upstream: Upstream) -> None:
    """Answer like a service of ours that is well."""
    for path in (HEALTH_PATH, INFO_PATH, ADMIN_HEALTH_PATH, "/health"):
        upstream.prepared[path] = Prepared(json.dumps(HEALTHY).encode())


def start_service(port: int | None = None) -> tuple[Process, int]:
    """Start one and wait until it serves."""
    port = port or free_port()
    process = Process([sys.executable, "-m", "tests.gateway.service", str(port)], name="upstream").start()
    process.wait_for_port(port)
    return process, port


def main() -> None:
    """Serve until SIGTERM."""
    # Threads inherit the mask, so that the signal waits for this one.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    with Upstream(int(sys.argv[1])) as upstream:
        prepare_health(upstream)
        upstream.prepared["/api/v1/tickets"] = Prepared(b'{"data":"tickets"}', headers=PUBLIC)
        upstream.prepared["/api/v1/slow"] = Prepared(b'{"data":"slow"}', seconds=1.0)
        signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    main()
