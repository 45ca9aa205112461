"""A small real upstream: it reports what it received, and fails in the ways that a path names."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

OWN_PROBLEM = b'{"type":"about:blank","title":"Sold out","status":409,"code":"SOLD_OUT"}'
OWN_OUTAGE = b'{"type":"about:blank","title":"Draining","status":503,"code":"DRAINING"}'


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is answered at one path, after how many seconds."""

    body: bytes
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    seconds: float = 0.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body go out together: no process that is stopped leaves half an answer
    server: _Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        received = {
            "method": self.command,
            "path": self.path,
            "headers": [[name, value] for name, value in self.headers.items()],
            "bodyBytes": len(body),
        }
        self.server.received.append(received)
        path = self.path.partition("?")[0]
        prepared = self.server.prepared.get(path)
        if prepared is not None:
            time.sleep(prepared.seconds)
            self._send(prepared.status, prepared.body, list(prepared.headers))
            return
        if path.endswith("/hang"):
            self.server.released.wait(30)
        if path.endswith("/cut"):
            self.close_connection = True
            return
        if path.endswith("/sold-out"):
            self._send(409, OWN_PROBLEM, [("Content-Type", "application/problem+json")])
        elif path.endswith("/outage"):
            self._send(503, OWN_OUTAGE, [("Content-Type", "application/problem+json"), ("Retry-After", "77")])
        elif path.endswith("/own-headers"):
            self._send(200, json.dumps(received).encode(), self.server.own_headers)
        else:
            self._send(200, json.dumps(received).encode(), [("Content-Type", "application/json")])

    def _send(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        # The gateway may have given up on a request that was told to hang.
        with contextlib.suppress(ConnectionError):
            if self.command != "HEAD":
                self.wfile.write(body)
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: what arrived is in `received`."""


for _method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
    setattr(_Handler, f"do_{_method}", _Handler._answer)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 500

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.prepared: dict[str, Prepared] = {}
        self.received: list[dict[str, Any]] = []
        self.released = threading.Event()
        self.own_headers = [
            ("Content-Type", "text/html"),
            ("Content-Security-Policy", "default-src 'self'"),
            ("X-Frame-Options", "SAMEORIGIN"),
            ("X-Content-Type-Options", "other"),
            ("X-Request-Id", "made-by-the-upstream"),
            ("X-Powered-By", "something"),
            ("Access-Control-Allow-Origin", "*"),
            ("Access-Control-Allow-Credentials", "true"),
            ("Vary", "Accept-Language"),
        ]


class Upstream:
    """The server in a thread; `received` lists every request that reached it."""

    def __init__(self, port: int = 0) -> None:
        self._server = _Server(port)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.port: int = self._server.server_address[1]

    @property
    def received(self) -> list[dict[str, Any]]:
        """Method, path, headers and body size of each request so far."""
        return self._server.received

    @property
    def prepared(self) -> dict[str, Prepared]:
        """What is answered at a path instead of the report; may be changed at any time."""
        return self._server.prepared

    def paths(self) -> list[str]:
        """The request targets so far, in order."""
        return [request["path"] for request in self.received]

    def release(self) -> None:
        """Let every request that hangs go on, and none hang from now on until `hold`."""
        self._server.released.set()

    def hold(self) -> None:
        """Make requests hang again."""
        self._server.released.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
