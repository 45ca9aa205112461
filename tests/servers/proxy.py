"""A TCP proxy before a server, in a process of its own: a busy test delays nobody."""

from __future__ import annotations

import socket
import sys

from tests.servers.process import Process, free_port


class Proxy:
    """`start(port)` leads from `proxy.port` to `port`; what is held or cut is like that until told otherwise.

    A server that is gone shows as a reset connection.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._control_port = free_port()
        self._process: Process | None = None
        self._control: socket.socket | None = None

    def start(self, upstream_port: int) -> None:
        """Begin to lead there, whether or not somebody listens already."""
        ports = [str(each) for each in (self.port, self._control_port, upstream_port)]
        self._process = Process([sys.executable, "-m", "tests.servers.proxying", *ports], name="proxy")
        self._process.start()
        self._process.wait_for_port(self._control_port)
        self._control = socket.create_connection(("127.0.0.1", self._control_port), timeout=30)

    @property
    def attempts(self) -> int:
        """Connections so far, those too that came to nothing."""
        return self._tell("count")

    def cut(self) -> None:
        """Reset all connections that there are, and each new one."""
        self._tell("cut")

    def mend(self) -> None:
        """Let connections through again."""
        self._tell("mend")

    def hold(self) -> None:
        """Take connections and what is sent, and pass nothing on."""
        self._tell("hold")

    def release(self) -> None:
        """Pass on again, also what was held back."""
        self._tell("release")

    def delay(self, seconds: float) -> None:
        """Let each piece of an answer arrive that much later."""
        self._tell(f"delay {seconds}")

    def close(self) -> None:
        """End it, with all its connections."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.close()

    def _tell(self, command: str) -> int:
        assert self._control is not None, "the proxy was never started"
        self._control.sendall(f"{command}\n".encode())
        return int(self._control.recv(100))
