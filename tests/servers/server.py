"""What every server of our own is to its tests: one process and its folder, to be killed and frozen."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.process import Process, free_port


class Server:
    """`with Server() as server:` starts it and waits until it answers; afterwards nothing of it is left.

    A kind of server sets `process`.
    """

    process: Process
    host = "127.0.0.1"

    def __init__(self, name: str, below: Path | None = None) -> None:
        """Its folder is made `below` another; otherwise where temporary files are."""
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=below))

    def start(self) -> Self:
        """Start (again, on the same port), and wait until it answers."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop cleanly."""
        self.process.stop(seconds=30)

    def kill(self) -> None:
        """Kill -9: connections are reset, new ones refused."""
        self.process.kill()

    def pause(self) -> None:
        """Hang (SIGSTOP): connections open, nothing is ever answered."""
        self.process.pause()

    def resume(self) -> None:
        """Go on after `pause` (SIGCONT)."""
        self.process.resume()

    def close(self) -> None:
        """End it, which need not be clean, and remove its folder."""
        self.kill()
        self.process.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def program(name: str, package: str) -> str:
    """The path of a server's program. Raises AssertionError where the Debian `package` is missing."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        raise AssertionError(f"{name} is missing: run `make setup-test`, or apt-get install {package}")
    return path
