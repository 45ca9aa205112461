"""Gunicorn's threaded worker, which waits for no client, and says when it closes a connection."""

from __future__ import annotations

import math
import select
import socket
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from itertools import takewhile
from selectors import EVENT_READ
from typing import Any

from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import ParseException

from common.web.balanced_worker import BalancedWorker

MOST_UNREAD_BYTES = 32_768
"""So much of a body that the app did not want is read away for the sake of the connection; gunicorn would
read twice that.
"""

SILENT_SECONDS = 0.1
"""So long a new connection on which nothing has come counts as one on which it will."""

LEAVE_SECONDS = 2.0
MOST_LEFT_BYTES = 1_000_000
"""The body of any ordinary request (as in `common.web.security`): its sender can read how it was refused."""


class PromptWorker(BalancedWorker):
    """As it comes, the worker lends a thread for five seconds to whoever connects and says nothing: with a
    few of them nobody is served. Where too much of a body was left unread, it promises to keep the connection
    and closes it: by then the gateway may have sent somebody else's request on it. And where it closes one in
    good order (RFC 9112 section 9.6), its main thread waits up to two seconds for the client to close, too,
    and looks after no other meanwhile.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._leaving: deque[Any] = deque()

    @property
    def idle_connections(self) -> int:
        """See `BalancedWorker`."""
        return super().idle_connections + len(self._leaving) - self._new_connections

    @property
    def _new_connections(self) -> int:
        since = time.monotonic() + self.cfg.keepalive - SILENT_SECONDS
        return sum(1 for _ in takewhile(lambda conn: conn.timeout > since, reversed(self.pending_conns)))

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Gunicorn's; it goes on accepting as soon as those who have just connected turn out to be silent."""
        super().wait_for_and_dispatch_events(
            min(timeout, SILENT_SECONDS) if self._new_connections else timeout
        )

    def enqueue_req(self, conn: Any) -> None:
        """In the main thread: have the request of a connection served, once it has begun to come."""
        if conn.initialized or conn.data_ready or has_come(conn.sock, 0):
            self.hand_over(conn)
            return
        conn.set_timeout()
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def hand_over(self, conn: Any) -> None:
        """To the threads."""
        super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """In a thread: answer; with `Connection: close` where it is going to be closed."""
        if not isinstance(req.body.reader, LengthReader):
            req.body = Chunks(req.body.reader)
        if _unread_bytes(req.body) > MOST_UNREAD_BYTES:
            # Gunicorn asks this when it sends the headers: by then the app has read what it wanted.
            closes = req.should_close
            req.should_close = lambda: closes() or _unread_bytes(req.body) > MOST_UNREAD_BYTES
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """In the main thread: what becomes of the connection."""
        if fs.cancelled() or fs.exception() is not None or fs.result():
            super().finish_request(conn, fs)
        else:
            self._leave(conn)

    def murder_pending(self) -> None:
        """Close those whose time is over."""
        super().murder_pending()
        now = time.monotonic()
        while self._leaving and self._leaving[0].timeout <= now:
            self._let_go(self._leaving[0])

    def _cap_keepalive(self, deadline: float) -> None:
        """When ending: nor is anybody waited for longer who has yet to say something."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    def _leave(self, conn: Any) -> None:
        """Say that nothing more comes. The rest is the client's to read, and is lost if the socket is closed
        while he still sends.
        """
        conn.timeout, conn.taken = time.monotonic() + LEAVE_SECONDS, 0
        self._leaving.append(conn)
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, EVENT_READ, partial(self._take, conn))
        except (OSError, ValueError):  # he, or the thread, has closed it
            self._let_go(conn)

    def _take(self, conn: Any, client: Any) -> None:
        try:
            taken = len(client.recv(65_536))
        except BlockingIOError:
            return
        except OSError:
            taken = 0
        conn.taken += taken
        if not taken or conn.taken > MOST_LEFT_BYTES:
            self._let_go(conn)

    def _let_go(self, conn: Any) -> None:
        self._leaving.remove(conn)
        with suppress(OSError, KeyError, ValueError):  # never registered, or closed meanwhile
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()


class Chunks(Body):  # type: ignore[misc] # gunicorn is untyped
    """A body in chunks. Raises OSError where they are not what they should be, as where a body breaks off:
    gunicorn's own errors would mean nothing to an app.
    """

    def _read_reader(self, size: int) -> Any:
        try:
            return super()._read_reader(size)
        except ParseException as error:
            raise OSError(f"the body ends in bad chunks: {error}") from error


def has_come(connection: socket.socket, milliseconds: int) -> bool:
    """Whether there is something to read, now or within that time."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(milliseconds))


def _unread_bytes(body: Any) -> float:
    reader = body.reader
    if isinstance(reader, LengthReader):
        return float(reader.length)
    # In chunks: how many bytes there are, only their end tells.
    return math.inf if reader.parser else 0
