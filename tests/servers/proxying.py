"""The process of a TCP proxy: it counts who tries to get through, and is told to be slow, silent or away.

python -m tests.servers.proxying PORT CONTROL_PORT UPSTREAM_PORT

Each line that comes in on the control port is a command: `cut`, `mend`, `hold`, `release`, `delay SECONDS`,
`count`; the answer to each is the number of connections so far.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from contextlib import suppress

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_PIECE = 65_536


class Forwarding:
    """From `port` to `upstream_port`, as long as somebody listens there; else connections are reset."""

    def __init__(self, port: int, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._delay_seconds = 0.0
        self._attempts = 0
        self._refusing = False
        self._flows = threading.Event()
        self._flows.set()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        threading.Thread(target=self._accept, daemon=True).start()

    def obey(self, command: str) -> int:
        """Carry out a command; the number of connections so far, those too that came to nothing."""
        word, _, value = command.partition(" ")
        match word:
            case "cut":
                self.cut()
            case "mend":
                self._refusing = False
            case "hold":
                self._flows.clear()
            case "release":
                self._flows.set()
            case "delay":
                self._delay_seconds = float(value)
        return self._attempts

    def cut(self) -> None:
        """Reset all connections that there are, and each new one."""
        self._refusing = True
        with self._lock:
            doomed = list(self._open)
        for each in doomed:
            _reset(each)

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            self._attempts += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Both directions of one connection; that of the answers in a thread of its own."""
        server: socket.socket | None = None
        with suppress(OSError):
            if not self._refusing:
                server = socket.create_connection(("127.0.0.1", self._upstream_port), timeout=1)
                server.settimeout(None)
        if server is None:
            _reset(client)
            client.close()
            return
        with self._lock:
            self._open |= {client, server}
        back = threading.Thread(target=self._pump, args=(server, client, True), daemon=True)
        back.start()
        self._pump(client, server, False)
        back.join()
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()

    def _pump(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        try:
            while piece := source.recv(_PIECE):
                if is_answer and self._delay_seconds:
                    time.sleep(self._delay_seconds)
                self._flows.wait()
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            _reset(source)
            _reset(target)


def _reset(connection: socket.socket) -> None:
    """End both directions at once, as a machine that has lost the connection does."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def main() -> None:
    """Serve until killed."""
    port, control_port, upstream_port = (int(word) for word in sys.argv[1:])
    forwarding = Forwarding(port, upstream_port)
    control = socket.create_server(("127.0.0.1", control_port))
    while True:
        connection, _ = control.accept()
        with connection, connection.makefile("rw") as lines:
            for line in lines:
                lines.write(f"{forwarding.obey(line.strip())}\n")
                lines.flush()


if __name__ == "__main__":
    main()
