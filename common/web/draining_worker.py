"""Gunicorn's threaded worker, told to end: it answers every request that had reached it."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from types import FrameType
from typing import Any

from common.monitoring import draining
from common.web import arrival
from common.web.prompt_worker import PromptWorker, has_come

SHORT_SECONDS = 0.05
"""A wait that tells of no queue (as in `common.web.overload`, which is the app's)."""

MOMENT_MILLISECONDS = 2
"""So long a thread looks for the next request of its connection."""

_TCP_INFO_BYTES = 104
# `tcpi_unacked`, which for a listening socket is how many wait in its queue; `tcpi_last_data_recv`.
_UNACKNOWLEDGED, _LAST_DATA_RECEIVED = 24, 52


class DrainingWorker(PromptWorker):
    """Takes what waits in the accept queue before it closes the socket, and says how long requests waited.

    As it comes, the worker stops accepting at SIGTERM but keeps the socket open until its last request is
    answered: clients go on being put in a queue that nobody looks at, and are reset at the end. Closed at
    once, the socket refuses them, and nginx asks another instance.
    """

    _last_wait = 0.0

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        # The main thread puts connections in, threads take them out, each in one step of the interpreter.
        self._waiting: set[Any] = set()

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

    def hand_over(self, conn: Any) -> None:
        """To the threads; from now on it waits."""
        conn.enqueued_at = time.monotonic()
        self._waiting.add(conn)
        super().hand_over(conn)

    def handle(self, conn: Any) -> Any:
        """In a thread: serve a request of the connection, and those that follow at once. By way of the main
        thread and its poll a small answer costs a fifth more.
        """
        self._waiting.discard(conn)
        waited = time.monotonic() - conn.enqueued_at
        while True:
            self._last_wait = max(waited, _seconds_since_data(conn.sock))
            arrival.note(self._last_wait, alone=not self._waiting)
            goes_on = super().handle(conn)
            if goes_on is not True or not self._stays_with(conn):
                return goes_on
            waited = 0.0

    def _stays_with(self, conn: Any) -> bool:
        """Whether its next request is there, while none waits for a thread and no connection for being
        accepted: who asks without a pause has a thread of his own only as long as nobody else needs it.
        """
        return (
            self.alive
            and not self._waiting
            and not any(map(_has_callers, self.sockets))
            and has_come(conn.sock, MOMENT_MILLISECONDS)
        )

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
    Without data, since the connection was made.
    """
    return (_tcp_info(connection, _LAST_DATA_RECEIVED) or 0) / 1000


def _has_callers(listener: socket.socket) -> bool:
    """Whether connections wait to be accepted; on a unix socket they may."""
    return _tcp_info(listener, _UNACKNOWLEDGED) != 0


def _tcp_info(connection: socket.socket, offset: int) -> int | None:
    """A number of Linux's `struct tcp_info`; None for what is no TCP."""
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        (number,) = struct.unpack_from("=I", info, offset)
    except (OSError, struct.error):  # a unix socket
        return None
    return int(number)
