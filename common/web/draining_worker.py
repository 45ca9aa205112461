"""Gunicorn's threaded worker, told to end: it answers every request that had reached it."""

from __future__ import annotations

import itertools
import socket
import struct
import time
from contextlib import suppress
from types import FrameType
from typing import Any

from common.monitoring import draining
from common.web import arrival
from common.web.balanced_worker import BalancedWorker

SHORT_SECONDS = 0.05
"""A wait that tells of no queue (as in `common.web.overload`, which is the app's)."""

_TCP_INFO_BYTES = 104
_LAST_DATA_RECEIVED = 52


class DrainingWorker(BalancedWorker):
    """Takes what waits in the accept queue before it closes the socket, and says how long requests waited.

    As it comes, the worker stops accepting at SIGTERM but keeps the socket open until its last request is
    answered: clients go on being put in a queue that nobody looks at, and are reset at the end. Closed at
    once, the socket refuses them, and nginx asks another instance.
    """

    _last_wait = 0.0
    _queued = 0

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        # The main thread alone puts requests into the queue. Threads take them out; `next` needs no lock.
        self._taken = itertools.count(1)

    @property
    def worker_connections(self) -> int:
        """As balanced, until requests wait. Then every worker is busy and there is nothing to share out:
        all are taken in, so that those that must be refused are refused now, not when a thread is free.
        """
        if self._last_wait >= SHORT_SECONDS:
            return self._most_connections
        return super().worker_connections

    @worker_connections.setter
    def worker_connections(self, most: int) -> None:
        self._most_connections = most

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: this process is not ready any more."""
        draining.begin()
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept or not; not, while ending, is for good."""
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            self._close_listeners()

    def enqueue_req(self, conn: Any) -> None:
        """Hand a connection to the threads; from now on it waits."""
        conn.enqueued_at = time.monotonic()
        self._queued += 1
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """In a thread: serve one request of the connection."""
        waited = time.monotonic() - conn.enqueued_at
        self._last_wait = max(waited, _seconds_since_data(conn.sock))
        arrival.note(self._last_wait, alone=next(self._taken) >= self._queued)
        return super().handle(conn)

    def _close_listeners(self) -> None:
        # Between the last look and the close lie microseconds; only a firewall could do without them.
        for listener in self.sockets:
            with suppress(OSError):  # out of file descriptors: what is there is served, the rest refused
                self._accept_all(listener)
            listener.close()

    def _accept_all(self, listener: Any) -> None:
        listener.setblocking(False)
        before = -1
        while before != self.nr_conns:
            before = self.nr_conns
            self.accept(listener)


def _seconds_since_data(connection: socket.socket) -> float:
    """How long ago the request came, by the kernel's clock: it may have waited where nobody had accepted it.

    `tcpi_last_data_recv` of Linux's `struct tcp_info`; without data, since the connection was made.
    """
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        (milliseconds,) = struct.unpack_from("=I", info, _LAST_DATA_RECEIVED)
    except (OSError, struct.error):  # a unix socket
        return 0.0
    return float(milliseconds) / 1000
