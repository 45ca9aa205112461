"""Gunicorn for both services; SERVICE=ticketing|admin says which (the Procfile passes it)."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

from common.web.own_cores import has_own_cores, keep_to, least_taken

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

DEFAULT_PORTS = {"ticketing": 3004, "admin": 3003}


def _integer(name: str, default: int, low: int, high: int) -> int:
    """Read a whole number from the environment; SystemExit with one line when it is not one within bounds."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise SystemExit(f"{name}={text}: expected a whole number from {low} to {high}")
    return int(text)


SERVICE = os.environ.get("SERVICE", "ticketing")
if SERVICE not in DEFAULT_PORTS:
    raise SystemExit(f"SERVICE={SERVICE}: expected one of {', '.join(DEFAULT_PORTS)}")
_port = _integer(f"{SERVICE.upper()}_PORT", DEFAULT_PORTS[SERVICE], 1, 65535)

proc_name = SERVICE
_host = os.environ.get("BIND_HOST") or "127.0.0.1"
bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"
worker_class = "common.web.draining_worker.DrainingWorker"  # gthread, which drains and measures its queue
CORES = sorted(os.sched_getaffinity(0))
workers = _integer("WEB_WORKERS", len(CORES), 1, 64)
threads = _integer("WEB_THREADS", 8, 4, 64)
preload_app = True

_shared = (os.environ.get("WEB_CORES") or "auto").strip().lower() == "shared"
# The admin service hashes passwords and scales pictures: work in C, for as many cores as are free.
OWN_CORES = SERVICE == "ticketing" and not _shared and has_own_cores(workers, len(CORES))

# Longer than nginx keeps its side (60 s), so that nginx never sends on a connection that is being closed.
keepalive = 75
timeout = 30
graceful_timeout = 15
backlog = 1024
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190

# The app itself decides whose X-Real-IP to believe.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# On by default it would lie in the user's home, where a second service takes over the first one's.
control_socket_disable = True

# Heartbeat files on a disk can block a worker until it is taken for dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - unlinked at once

accesslog = None  # the app writes one JSON line a request
logger_class = "common.monitoring.gunicorn_logs.JsonLogger"
loglevel = (os.environ.get("LOG_LEVEL") or "info").lower()


def pre_fork(server: Arbiter, worker: Worker) -> None:
    """Keep the collector off the preloaded objects, so that workers go on sharing their pages; choose the
    worker's core.
    """
    gc.freeze()
    if OWN_CORES:
        worker.core = least_taken(CORES, (other.core for other in server.WORKERS.values()))


def post_fork(server: Arbiter, worker: Worker) -> None:
    """Let the app make its clients and threads in the worker: none of them survives a fork."""
    if OWN_CORES:
        keep_to(worker.core)
    hook = server.app.wsgi().extensions.get("post_fork")
    if hook is not None:
        hook()
