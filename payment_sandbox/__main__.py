"""`python -m payment_sandbox`: run until SIGTERM or Ctrl-C.

A thread per connection, in one process: a call that is told to hang must never keep the next one, which
ends the hanging, from being served; and a kill leaves no second process behind.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sqlite3
import sys
import threading
from typing import Any

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from payment_sandbox.app import create_app
from payment_sandbox.behaviour import Behaviour
from payment_sandbox.context import Sandbox, open_sandbox
from payment_sandbox.settings import Settings, SettingsError, load_settings

log = logging.getLogger("payment_sandbox")


class RequestHandler(WSGIRequestHandler):
    """Logs the path only: the query holds a payer's session."""

    timeout = 10
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line a request; health checks are not worth one."""
        path = getattr(self, "path", "-").partition("?")[0]
        if path != "/health":
            log.debug("%s %s %s", getattr(self, "command", "-"), path, code)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """What the server has to say goes to the log like everything else."""
        log.debug(message, *args)


class Server(ThreadedWSGIServer):
    """Waits for the requests under way when it is closed."""

    daemon_threads = False


def main() -> int:
    """Start, serve, stop; the exit code."""
    try:
        settings = load_settings(os.environ)
        listener = listen(settings)
        sandbox = open_sandbox(settings)
    except (SettingsError, OSError, sqlite3.Error) as error:
        sys.stderr.write(f"payment sandbox: {error}\n")
        return 1
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Each webhook is logged by us, with what it was about.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    serve(create_app(sandbox), sandbox, listener)
    return 0


def listen(settings: Settings) -> socket.socket:
    """The listening socket. Raises OSError with one clear line when the port is taken."""
    family = socket.AF_INET6 if ":" in settings.bind_host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.bind_host, settings.port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise OSError(f"cannot listen on {settings.bind_host}:{settings.port}: {reason}") from error
    return listener


def serve(app: Flask, sandbox: Sandbox, listener: socket.socket) -> None:
    """Serve until a signal; then answer what is under way, finish one delivery and close the file."""
    host, port = listener.getsockname()[:2]
    server = Server(host, port, app, RequestHandler, fd=listener.fileno())
    listener.close()
    told_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told_to_stop.set())
    serving = threading.Thread(target=server.serve_forever, args=(0.05,), name="accept", daemon=True)
    serving.start()
    sandbox.deliverer.start()
    sys.stdout.write(f"payment sandbox ready on http://{host}:{port}\n")
    sys.stdout.flush()
    if sandbox.told != Behaviour():
        log.warning("still misbehaving as told before: %s", sandbox.told)
    told_to_stop.wait()
    sandbox.behaviour.let_go()
    server.shutdown()
    # The thread that accepts closes the server, and so waits for the requests under way.
    serving.join()
    sandbox.deliverer.stop()
    sandbox.store.close()


if __name__ == "__main__":
    sys.exit(main())
